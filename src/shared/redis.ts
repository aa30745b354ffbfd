/**
 * Connections to Redis. Every command either succeeds or fails within its time-out: nothing is queued while the
 * connection is away and nothing is sent twice behind the caller's back, since only the caller knows what that means.
 */
import { Redis } from 'ioredis';
import { errorMessage } from './errors.ts';
import { until } from './wait.ts';

export type { Redis } from 'ioredis';

interface ConnectionOptions {
  /** Shown by CLIENT LIST. */
  readonly name: string;
  /**
   * Longest time of one command, milliseconds, the time that it may block included. A connection that is silent for
   * this long is closed: nobody waits any more for what a frozen server may still answer on it.
   */
  readonly commandTimeoutMs: number;
  readonly onError: (error: Error) => void;
}

const RECONNECT_MIN_MS = 50;
const RECONNECT_MAX_MS = 2_000;

/** Connects in the background and for ever; errors of the connection go to `onError`. */
export function connectRedis(url: string, options: ConnectionOptions): Redis {
  const redis = new Redis(url, {
    // Not `blockingTimeout`, which makes an empty answer of a late one and so leaves what was delivered to nobody.
    commandTimeout: options.commandTimeoutMs,
    socketTimeout: options.commandTimeoutMs,
    connectionName: options.name,
    protocol: 2,
    enableOfflineQueue: false,
    autoResendUnfulfilledCommands: false,
    maxRetriesPerRequest: 0,
    connectTimeout: 5_000,
    // A primary that has become a replica keeps its connections: the address may lead to the new primary by now.
    reconnectOnError: (error) => error.message.startsWith('READONLY'),
    retryStrategy: (attempt) => Math.min(RECONNECT_MAX_MS, RECONNECT_MIN_MS * 2 ** Math.min(attempt, 10)),
  });
  redis.on('error', options.onError);
  return redis;
}

/** Resolves once commands can be sent, or when `signal` ends the wait. */
export async function waitForRedis(redis: Redis, signal: AbortSignal): Promise<void> {
  if (redis.status === 'ready' || signal.aborted) return;
  await until(signal, (done) => {
    redis.once('ready', done);
    return () => redis.off('ready', done);
  });
}

/**
 * A connection that can take commands, for a tool that does not wait for a server that is away.
 * @throws Error when Redis does not answer within `timeoutMs`
 */
export async function reachRedis(
  url: string, options: Omit<ConnectionOptions, 'onError'>, timeoutMs: number,
): Promise<Redis> {
  let reason = `no answer in ${timeoutMs} ms`;
  const redis = connectRedis(url, { ...options, onError: (error) => { reason = errorMessage(error); } });
  await waitForRedis(redis, AbortSignal.timeout(timeoutMs));
  if (redis.status === 'ready') return redis;
  redis.disconnect();
  throw new Error(`cannot reach Redis: ${reason}`);
}
