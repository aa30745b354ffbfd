/**
 * What the stream still holds when a live server starts: so it knows newest positions that the database does not have
 * yet, and viewers of another process can resume here. Bounded, newest first. Errors: those of Redis.
 */
import { decodeEntry } from '../../shared/contracts/telemetry-stream.ts';
import { CodecError } from '../../shared/errors.ts';
import type { Redis } from '../../shared/redis.ts';
import type { LivePosition } from '../messages/position-json.ts';
import { livePosition } from '../messages/position-json.ts';

const CHUNK = 500;
/** Entries of each partition: some seconds of a large fleet, all that is kept of a small one. */
const LIMIT = 5_000;

export interface WarmEntry {
  readonly entryId: string;
  readonly positions: readonly LivePosition[];
}

export interface WarmUp {
  /** Oldest first. */
  readonly entries: readonly WarmEntry[];
  /** Entry behind which everything is known. */
  readonly coveredFrom: string;
}

function positionsOf(fields: Buffer[]): LivePosition[] {
  try {
    const { deviceId, receivedAt, records } = decodeEntry(fields);
    return records.flatMap((result) => (result.ok ? (livePosition(deviceId, receivedAt, result.record) ?? []) : []));
  } catch (error) {
    // The processor makes a dead letter of it.
    if (error instanceof CodecError) return [];
    throw error;
  }
}

/** The last entries of a stream up to `end`, which is one of them or the id of one that was trimmed. */
export async function warmUp(redis: Redis, stream: string, end: string): Promise<WarmUp> {
  const entries: WarmEntry[] = [];
  for (let to = end; entries.length < LIMIT;) {
    const chunk = await redis.xrevrangeBuffer(stream, to, '-', 'COUNT', CHUNK);
    for (const [id, fields] of chunk) entries.push({ entryId: id.toString(), positions: positionsOf(fields) });
    if (chunk.length < CHUNK) break;
    to = `(${entries.at(-1)?.entryId ?? '0-0'}`;
  }
  return { coveredFrom: entries.at(-1)?.entryId ?? end, entries: entries.reverse() };
}
