/**
 * The ingest role: trackers and records over HTTP in, stream out. It knows sockets and protocols and nothing of the
 * database.
 *
 * Order that makes an acknowledgement mean 'kept': decode, append, wait until the append is durable, reply. Stopping
 * closes the ports, takes nothing more in, and gives appends under way until the deadline to become durable and be
 * acknowledged; what is not stays unacknowledged, and the tracker sends it again.
 */
import type { Registry } from 'prom-client';
import type { Settings } from '../config/settings.ts';
import type { ListenerSetting } from '../config/listeners.ts';
import type { Logger } from '../observability/logger.ts';
import type { ApiRoutes } from '../http/routes.ts';
import { createHttpWriteMetrics } from '../observability/metrics/http-write.ts';
import { createIngestMetrics } from '../observability/metrics/ingest.ts';
import type { Protocol } from '../protocols/protocol.ts';
import { findProtocol, protocolNames } from '../protocols/registry.ts';
import { errorMessage } from '../shared/errors.ts';
import type { Redis } from '../shared/redis.ts';
import type { Role } from '../shared/role.ts';
import type { ConnectionContext } from './connection.ts';
import { listenForDatagrams, speaksDatagrams } from './datagram-listener.ts';
import { DevicePolicy } from './device-policy.ts';
import { durabilityOf } from './durability.ts';
import type { IngestEvents } from './events.ts';
import { createIngestEvents } from './events.ts';
import { Gate } from './gate.ts';
import { createHttpWriteEvents } from './http/events.ts';
import { RecordWrites } from './http/record-writes.ts';
import { recordRoutes } from './http/routes.ts';
import { Intake } from './intake.ts';
import type { Listener } from './listener.ts';
import { listen } from './listener.ts';
import { PoisonFrames } from './poison-frames.ts';
import { Publisher } from './publisher.ts';

export interface Ingest extends Role {
  /** The open ports, once started. */
  readonly listeners: readonly Pick<Listener, 'protocol' | 'transport' | 'port'>[];
  /** To be mounted on the HTTP server of the process. */
  readonly routes: ApiRoutes;
}

interface IngestOptions {
  readonly settings: Settings;
  /** A connection for commands that do not block. */
  readonly redis: Redis;
  readonly registry: Registry;
  readonly log: Logger;
}

/** Settings of listeners that no protocol can serve, a line each. */
export function listenerProblems({ INGEST_LISTENERS: listeners = [] }: Partial<Settings>): string[] {
  return listeners.flatMap(({ protocol: name, transport }) => {
    const protocol = findProtocol(name);
    if (protocol === undefined) return [`INGEST_LISTENERS: expected one of ${protocolNames.join(', ')}, got ${JSON.stringify(name)}`];
    if (transport === 'udp' && !speaksDatagrams(protocol)) return [`INGEST_LISTENERS: ${name} has no UDP form`];
    return [];
  });
}

/** A port that cannot be had, or its certificate; names the listener. */
class ListenError extends Error {
  override readonly name = 'ListenError';

  constructor({ protocol, transport, port }: ListenerSetting, cause: unknown) {
    const suffix = transport === 'tcp' ? '' : `+${transport}`;
    super(`INGEST_LISTENERS: cannot listen on ${protocol}${suffix}:${port}: ${errorMessage(cause)}`, { cause });
  }
}

async function listenTo(setting: ListenerSetting, context: ConnectionContext): Promise<Listener> {
  const protocol: Protocol | undefined = findProtocol(setting.protocol);
  if (protocol === undefined) throw new Error(`there is no protocol ${setting.protocol}`);
  if (setting.transport !== 'udp') return listen(setting, protocol, context);
  if (!speaksDatagrams(protocol)) throw new Error(`${protocol.name} has no UDP form`);
  return listenForDatagrams(setting, protocol, context);
}

/** @throws ListenError */
async function open(setting: ListenerSetting, context: ConnectionContext): Promise<Listener> {
  try {
    const listener = await listenTo(setting, context);
    const { protocol, transport, port } = listener;
    context.events.listening({ protocol, transport, port });
    return listener;
  } catch (error) {
    throw new ListenError(setting, error);
  }
}

function createContext({ settings, redis }: IngestOptions, events: IngestEvents): ConnectionContext {
  const gate = new Gate(settings);
  const publisher = new Publisher({
    redis,
    durability: durabilityOf(settings),
    maxQueueBytes: settings.INGEST_APPEND_QUEUE_BYTES,
    events,
    onCongestion: () => { gate.adjustFlow(); },
  });
  const policy = new DevicePolicy({ redis, settings, events, onChange: () => { gate.closeRefused(policy); } });
  const intake = new Intake({ settings, poison: new PoisonFrames(settings.INGEST_POISON_ATTEMPTS), events });
  return { settings, intake, publisher, policy, gate, events };
}

/** A second connection: on that of the publisher a question would wait behind WAIT and WAITAOF. */
function secondConnection(redis: Redis): Redis {
  const second = redis.duplicate({ lazyConnect: true });
  // That Redis is away is told by the first one.
  second.on('error', errorMessage);
  return second;
}

function closeAll(listeners: readonly Listener[]): void {
  for (const listener of listeners) {
    listener.stop();
    listener.destroy();
  }
}

export function createIngest(options: IngestOptions): Ingest {
  const { settings, registry, log } = options;
  const metrics = createIngestMetrics(registry);
  const context = createContext(options, createIngestEvents(metrics, log));
  const { publisher, policy, gate } = context;
  const redis = secondConnection(options.redis);
  const events = createHttpWriteEvents(createHttpWriteMetrics(registry), metrics, log);
  const writes = new RecordWrites({ settings, publisher, policy, redis, events, isReady: () => isStarted });
  const stopping = new AbortController();
  const listeners: Listener[] = [];
  let isStarted = false;

  return {
    name: 'ingest',
    listeners,
    routes: recordRoutes(writes),
    get isStarted() {
      return isStarted;
    },
    get impediment() {
      return publisher.impediment;
    },
    async start() {
      // It goes on by itself when the first attempt has failed.
      redis.connect().catch(errorMessage);
      await publisher.start(stopping.signal);
      if (!stopping.signal.aborted) await policy.start();
      for (const setting of settings.INGEST_LISTENERS) {
        if (!stopping.signal.aborted) listeners.push(await open(setting, context));
      }
      isStarted = !stopping.signal.aborted;
      // Asked to stop while the last port was being opened.
      if (!isStarted) closeAll(listeners);
    },
    async stop() {
      isStarted = false;
      stopping.abort();
      policy.stop();
      for (const listener of listeners) listener.stop();
      // Half of the time for the trackers under way; the rest of the shutdown needs the other half.
      const deadline = AbortSignal.timeout(settings.SHUTDOWN_TIMEOUT_MS / 2);
      const appended = writes.stop(deadline).then(() => publisher.stop(deadline));
      await Promise.all([appended, gate.closeAll('shutdown', deadline)]);
      closeAll(listeners);
      gate.stop();
      redis.disconnect();
    },
  };
}
