/** Redis and PostgreSQL for this process: those of the settings, or embedded ones that it starts. */
import { join } from 'node:path';
import type { Settings } from '../config/settings.ts';
import type { Embedded } from '../embedded/servers.ts';
import type { Logger } from '../observability/logger.ts';
import { removeRuntime } from '../shared/runtime-file.ts';

export interface Servers {
  readonly redisUrl: string;
  readonly postgresUrl: string;
  readonly embedded: Embedded | null;
  /** Of the administrator; null: there is none. */
  readonly token: string | null;
}

export async function findServers(settings: Settings, log: Logger): Promise<Servers> {
  const { REDIS_URL, POSTGRES_URL, AUTH_TOKEN, ODOGRAPH_DATA_DIR: dataDir } = settings;
  const usesDatabase = settings.ROLES.some((role) => role !== 'ingest');
  const needs = { redis: REDIS_URL === undefined, postgres: POSTGRES_URL === undefined && usesDatabase };
  if (!needs.redis && !needs.postgres) {
    return { redisUrl: REDIS_URL ?? '', postgresUrl: POSTGRES_URL ?? '', embedded: null, token: AUTH_TOKEN ?? null };
  }
  const { startEmbedded } = await import('../embedded/servers.ts');
  if (usesDatabase && needs.redis !== needs.postgres) {
    const missing = needs.redis ? 'REDIS_URL' : 'POSTGRES_URL';
    log.warn(`${missing} is not set: an embedded server that this process starts takes the place of the missing one`);
  }
  log.info({ dataDir, ...needs }, 'without REDIS_URL or POSTGRES_URL: starting embedded servers');
  const embedded = await startEmbedded({ dataDir, ...needs, log: (line) => { log.info(line); } });
  // One that a killed process left behind may bear a process id that is in use again.
  await removeRuntime(dataDir);
  return {
    redisUrl: REDIS_URL ?? embedded.redisUrl ?? '',
    postgresUrl: POSTGRES_URL ?? embedded.postgresUrl ?? '',
    embedded,
    token: AUTH_TOKEN ?? (await ownToken(dataDir, log)),
  };
}

/** Where nobody has set a token there is one all the same, the same after a restart. */
async function ownToken(dataDir: string, log: Logger): Promise<string> {
  const { keptSecret } = await import('../embedded/secret.ts');
  const tokenFile = join(dataDir, 'auth-token');
  const token = await keptSecret(tokenFile);
  log.info({ token, tokenFile }, 'token of the administrator');
  return token;
}

export async function stopEmbedded({ ODOGRAPH_DATA_DIR: dataDir }: Settings, { embedded }: Servers): Promise<void> {
  if (embedded === null) return;
  await removeRuntime(dataDir);
  await embedded.stop();
}
