/**
 * The durability levels of INGEST_DURABILITY. `verify` makes sure, on every new connection to Redis, that the server
 * can give what the level promises; `confirm` resolves when what was just appended on this connection has it.
 */
import { setTimeout } from 'node:timers/promises';
import type { Redis } from '../shared/redis.ts';
import type { Settings } from '../config/settings.ts';

/** Redis is not set up for what the operator asked for. Says which setting of which side to change. */
export class DurabilityError extends Error {
  override readonly name = 'DurabilityError';
}

export interface Durability {
  /** @throws DurabilityError where the server cannot give this level. */
  verify(redis: Redis): Promise<void>;
  /**
   * Resolves when the connection's writes so far are durable; rejects when the connection is lost or `signal` aborts.
   * `onShort` is told each time that too few copies had them in time.
   */
  confirm(redis: Redis, signal: AbortSignal, onShort: (error: DurabilityError) => void): Promise<void>;
}

type DurabilitySettings = Pick<Settings, 'INGEST_DURABILITY' | 'INGEST_REPLICAS' | 'INGEST_APPEND_TIMEOUT_MS'>;

/** One value of CONFIG GET; undefined where the server does not let us ask, as managed ones do. */
async function configOf(redis: Redis, name: string): Promise<string | undefined> {
  try {
    const [, value] = await redis.config('GET', name);
    return value;
  } catch (error) {
    if (error instanceof Error && error.name === 'ReplyError') return undefined;
    throw error;
  }
}

/** Under an `allkeys-…` policy a full Redis throws streams away: acknowledged data would be lost. */
async function verifyNothingIsEvicted(redis: Redis): Promise<void> {
  const policy = await configOf(redis, 'maxmemory-policy');
  if (policy?.startsWith('allkeys-') !== true || (await configOf(redis, 'maxmemory')) === '0') return;
  throw new DurabilityError(`Redis has maxmemory-policy ${policy}, which evicts acknowledged records; set it to noeviction`);
}

async function supportsWaitAof(redis: Redis): Promise<boolean> {
  const [info] = (await redis.call('COMMAND', 'INFO', 'WAITAOF')) as unknown[];
  return info !== null && info !== undefined;
}

const memory: Durability = {
  verify: verifyNothingIsEvicted,
  confirm: () => Promise.resolve(),
};

/** Asks again on the same connection until enough copies have the writes: appending again would add to the load. */
async function untilConfirmed(
  ask: () => Promise<boolean>,
  signal: AbortSignal,
  onShort: () => void,
): Promise<void> {
  while (!(await ask())) {
    onShort();
    signal.throwIfAborted();
    await setTimeout(20, undefined, { signal });
  }
}

/** WAIT and WAITAOF return by themselves; half of the time that the client allows a command leaves room for that. */
function serverTimeout(settings: DurabilitySettings): number {
  return Math.ceil(settings.INGEST_APPEND_TIMEOUT_MS / 2);
}

function fsync(settings: DurabilitySettings): Durability {
  let waits = false;
  return {
    async verify(redis) {
      await verifyNothingIsEvicted(redis);
      const [appendonly, appendfsync] = [await configOf(redis, 'appendonly'), await configOf(redis, 'appendfsync')];
      if (appendonly !== 'yes') {
        throw new DurabilityError(`INGEST_DURABILITY=fsync needs Redis with appendonly yes; it has ${appendonly ?? 'CONFIG disabled'}`);
      }
      waits = await supportsWaitAof(redis);
      if (waits || appendfsync === 'always') return;
      throw new DurabilityError(`INGEST_DURABILITY=fsync needs Redis 7.2 (WAITAOF) or appendfsync always; it has appendfsync ${appendfsync ?? 'unknown'}`);
    },
    async confirm(redis, signal, onShort) {
      if (!waits) return;
      const ask = async (): Promise<boolean> => {
        const [local] = (await redis.call('WAITAOF', 1, 0, serverTimeout(settings))) as number[];
        return local === 1;
      };
      await untilConfirmed(ask, signal, () => {
        onShort(new DurabilityError('Redis has not synchronised its append-only file in time'));
      });
    },
  };
}

function replica(settings: DurabilitySettings): Durability {
  return {
    verify: verifyNothingIsEvicted,
    async confirm(redis, signal, onShort) {
      const wanted = settings.INGEST_REPLICAS;
      let replicas = 0;
      const ask = async (): Promise<boolean> => {
        replicas = await redis.wait(wanted, serverTimeout(settings));
        return replicas >= wanted;
      };
      await untilConfirmed(ask, signal, () => {
        onShort(new DurabilityError(`${replicas} of ${wanted} replicas have the last records`));
      });
    },
  };
}

export function durabilityOf(settings: DurabilitySettings): Durability {
  switch (settings.INGEST_DURABILITY) {
    case 'memory':
      return memory;
    case 'fsync':
      return fsync(settings);
    case 'replica':
      return replica(settings);
  }
}
