/**
 * The environment that the demo gives to Odograph: the user's own, with free ports in the place of defaults that are
 * taken on this machine. What the user set stays as it is; an empty variable counts as absent.
 */
import { SETTINGS } from '../config/settings.ts';
import { freePort } from '../embedded/port.ts';

type PortName = 'METRICS_PORT' | 'LIVE_WS_PORT' | 'API_PORT';
type HostName = 'METRICS_HOST' | 'LIVE_WS_HOST' | 'API_HOST';
type Name = PortName | HostName | 'INGEST_HOST' | 'INGEST_LISTENERS' | 'ODOGRAPH_DATA_DIR';

/** What the user set, or undefined. */
function given(environment: NodeJS.ProcessEnv, name: string): string | undefined {
  const value = environment[name];
  return value === '' ? undefined : value;
}

/** The value that Odograph would take. */
function effective(environment: NodeJS.ProcessEnv, name: Name): string {
  return given(environment, name) ?? SETTINGS[name].default ?? '';
}

/** The port, or 0, which takes a free one, where it is taken. */
async function portOrFree(port: string, host: string): Promise<string> {
  return (await freePort(Number(port), host)) === undefined ? '0' : port;
}

/** @param listener `protocol:port`. */
async function freeListener(listener: string, host: string): Promise<string> {
  const [name = '', port = ''] = listener.split(':');
  return `${name}:${await portOrFree(port, host)}`;
}

/** The data folder that Odograph uses in this environment. */
export function dataFolder(environment: NodeJS.ProcessEnv): string {
  return effective(environment, 'ODOGRAPH_DATA_DIR');
}

/** @param own the environment of this process. */
export async function demoEnvironment(own: NodeJS.ProcessEnv): Promise<NodeJS.ProcessEnv> {
  const ingestHost = effective(own, 'INGEST_HOST');
  const freeListeners = async (): Promise<string> => {
    const listeners = effective(own, 'INGEST_LISTENERS').split(',');
    return (await Promise.all(listeners.map((listener) => freeListener(listener, ingestHost)))).join(',');
  };
  const freePortOf = (port: PortName, host: HostName): Promise<string> =>
    portOrFree(effective(own, port), effective(own, host));
  // The demo has servers of its own and runs all of Odograph, whatever this shell is set up for.
  const { REDIS_URL: _redis, POSTGRES_URL: _postgres, ROLES: _roles, AUTH_PROVIDER: _provider, ...kept } = own;
  return {
    ...kept,
    LOG_LEVEL: given(own, 'LOG_LEVEL') ?? 'info',
    METRICS_PORT: given(own, 'METRICS_PORT') ?? (await freePortOf('METRICS_PORT', 'METRICS_HOST')),
    LIVE_WS_PORT: given(own, 'LIVE_WS_PORT') ?? (await freePortOf('LIVE_WS_PORT', 'LIVE_WS_HOST')),
    API_PORT: given(own, 'API_PORT') ?? (await freePortOf('API_PORT', 'API_HOST')),
    INGEST_LISTENERS: given(own, 'INGEST_LISTENERS') ?? (await freeListeners()),
  };
}
