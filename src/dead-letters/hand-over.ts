/**
 * Puts what came of a letter in its place, in one step of Redis: all of it is on the streams and the letter is gone, or
 * nothing has changed. So a replay that is cut off, repeated, or run twice at once takes no letter twice and loses
 * none, and a Redis that is full refuses before the first append: for want of memory it refuses a script only at its
 * first write, never half way.
 */
import type { StreamAppend } from '../ingest/entries.ts';
import { DEAD_LETTER_STREAM } from '../shared/contracts/dead-letter-stream.ts';
import type { Redis } from '../shared/redis.ts';

/** KEYS: the dead-letter stream, and a stream for each append. ARGV: the id; for each append a count and its fields. */
const REPLACE = `
  if #redis.call('XRANGE', KEYS[1], ARGV[1], ARGV[1]) == 0 then return 0 end
  local at = 2
  for append = 2, #KEYS do
    local last = at + tonumber(ARGV[at])
    redis.call('XADD', KEYS[append], '*', unpack(ARGV, at + 1, last))
    at = last + 1
  end
  redis.call('XDEL', KEYS[1], ARGV[1])
  return 1`;

/** @returns false: the letter is not there any more, and nothing was appended. Throws what Redis says. */
export async function handOver(redis: Redis, id: string, appends: readonly StreamAppend[]): Promise<boolean> {
  const keys = [DEAD_LETTER_STREAM, ...appends.map(({ stream }) => stream)];
  const values = appends.flatMap(({ fields }) => [String(fields.length), ...fields]);
  return (await redis.eval(REPLACE, keys.length, ...keys, id, ...values)) === 1;
}
