/**
 * What keeps the dead letters in bounds: they are measured, and over the bound the oldest are dropped, so that a flood
 * of letters takes no memory from the records that wait. Errors: those of Redis, for the caller to report; each step is
 * safe to repeat, and for several processors at once.
 */
import { DEAD_LETTER_STREAM } from '../shared/contracts/dead-letter-stream.ts';
import { parseEntryId } from '../shared/contracts/entry-id.ts';
import { memoryOf } from '../shared/contracts/stream-info.ts';
import type { Redis } from '../shared/redis.ts';

export interface DeadLetterStats {
  readonly entries: number;
  /** Memory in Redis; estimated from a sample when there are very many. */
  readonly bytes: number;
  /** How long ago the oldest was written, milliseconds; 0: there is none. */
  readonly oldestAgeMs: number;
}

export interface DroppedLetters {
  readonly letters: number;
  /** When the oldest that was dropped was written, and the oldest that was kept; epoch milliseconds. */
  readonly fromMs: number;
  readonly toMs: number;
}

/** Nodes of the stream, of 4 KiB or one large letter, that are looked at for its memory. */
const SAMPLES = 10_000;
/** Letters dropped by one command, for Redis serves nobody else meanwhile. */
const DROP_STEP = 10_000;
/** What is left of the bound when letters are dropped: a flood is not reported at every look. */
const KEPT_SHARE = 0.9;

function bytesOf(redis: Redis): Promise<number> {
  return memoryOf(redis, DEAD_LETTER_STREAM, SAMPLES);
}

/** When the oldest letter was written, epoch milliseconds; undefined: there is none. */
async function oldestAt(redis: Redis): Promise<number | undefined> {
  const [oldest] = await redis.xrange(DEAD_LETTER_STREAM, '-', '+', 'COUNT', 1);
  return oldest === undefined ? undefined : Number(parseEntryId(oldest[0])[0]);
}

async function nowOf(redis: Redis): Promise<number> {
  const [seconds, microseconds] = await redis.time();
  return Number(seconds) * 1_000 + Math.floor(Number(microseconds) / 1_000);
}

export async function measureDeadLetters(redis: Redis): Promise<DeadLetterStats> {
  const [entries, bytes, oldest, now] = await Promise.all([
    redis.xlen(DEAD_LETTER_STREAM), bytesOf(redis), oldestAt(redis), nowOf(redis),
  ]);
  return { entries, bytes, oldestAgeMs: oldest === undefined ? 0 : Math.max(0, now - oldest) };
}

/**
 * Drops the oldest letters where all take more than `maxBytes`, until they take nine tenths of it.
 * @returns what was dropped; null: nothing
 */
export async function boundDeadLetters(redis: Redis, maxBytes: number): Promise<DroppedLetters | null> {
  let bytes = await bytesOf(redis);
  if (bytes <= maxBytes) return null;
  const fromMs = await oldestAt(redis);
  let letters = 0;
  while (bytes > maxBytes * KEPT_SHARE) {
    const entries = await redis.xlen(DEAD_LETTER_STREAM);
    if (entries === 0) break;
    const kept = Math.floor((entries * maxBytes * KEPT_SHARE) / bytes);
    letters += await redis.xtrim(DEAD_LETTER_STREAM, 'MAXLEN', Math.max(kept, entries - DROP_STEP));
    bytes = await bytesOf(redis);
  }
  if (letters === 0 || fromMs === undefined) return null;
  return { letters, fromMs, toMs: (await oldestAt(redis)) ?? (await nowOf(redis)) };
}
