/** A connection to Redis of which the log says once that it is away, and once that it is there again. */
import { errorMessage } from '../shared/errors.ts';
import type { Redis } from '../shared/redis.ts';
import { connectRedis } from '../shared/redis.ts';
import type { Logger } from './logger.ts';

export interface WatchedRedisOptions {
  readonly url: string;
  /** Shown by CLIENT LIST. */
  readonly name: string;
  /** Longest time of one command, milliseconds. */
  readonly commandTimeoutMs: number;
  /** Whose connection it is. */
  readonly role: string;
  readonly log: Logger;
}

export interface WatchedRedis {
  readonly redis: Redis;
  /** Ends the connection; what that does to commands under way is not news. */
  readonly release: () => void;
}

/** Connects in the background and for ever, until it is released. */
export function connectWatchedRedis({ url, name, commandTimeoutMs, role, log }: WatchedRedisOptions): WatchedRedis {
  let isAway = false;
  let isReleased = false;
  const redis = connectRedis(url, {
    name,
    commandTimeoutMs,
    onError: (error) => {
      // A connection that is released while it is being made reports that as an error.
      if (!isAway && !isReleased) log.warn({ role, error: errorMessage(error) }, 'Redis is away; waiting for it');
      isAway = true;
    },
  });
  redis.on('ready', () => {
    if (isAway) log.info({ role }, 'Redis is there');
    isAway = false;
  });
  const release = (): void => {
    isReleased = true;
    redis.disconnect();
  };
  return { redis, release };
}
