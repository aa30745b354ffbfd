/**
 * Consumer groups of a stream as every role uses them: made, read from, and found to be gone. Errors: those of Redis;
 * `isGroupMissing` tells one from the others.
 */
import type { Redis } from '../redis.ts';
import { sendCommand } from '../redis-command.ts';

/** An entry as Redis has it; null fields: it was deleted from the stream and is pending all the same. */
export type RawEntry = [id: Buffer, fields: Buffer[] | null];
type RawRead = [stream: Buffer, entries: RawEntry[]][] | null;

export interface GroupRead {
  readonly group: string;
  readonly consumer: string;
  readonly streams: readonly string[];
  /** Most entries of each stream. */
  readonly count: number;
  /** How long to wait for the first entry, milliseconds; null: not at all. */
  readonly blockMs: number | null;
  /** What is delivered counts as acknowledged. */
  readonly noAck?: boolean;
}

/** The error of Redis for a group that does not exist, or a stream that does not. */
export function isGroupMissing(error: unknown): boolean {
  return error instanceof Error && error.name === 'ReplyError' && error.message.startsWith('NOGROUP');
}

/**
 * Creates a group, and the stream where there is none yet.
 * @param from id of the entry behind which the group begins to read; `$`: the newest that there is
 * @returns false: it was there
 */
export async function createGroup(redis: Redis, stream: string, group: string, from: string): Promise<boolean> {
  try {
    await redis.xgroup('CREATE', stream, group, from, 'MKSTREAM');
    return true;
  } catch (error) {
    if (error instanceof Error && error.message.startsWith('BUSYGROUP')) return false;
    throw error;
  }
}

/** Entries that the group has not been given yet, by stream; empty when none came in time. */
export async function readGroup(redis: Redis, read: GroupRead): Promise<[stream: string, entries: RawEntry[]][]> {
  const reply = (await sendCommand(redis, 'XREADGROUP', [
    'GROUP', read.group, read.consumer, 'COUNT', read.count, ...(read.blockMs === null ? [] : ['BLOCK', read.blockMs]),
    ...(read.noAck === true ? ['NOACK'] : []), 'STREAMS', ...read.streams, ...read.streams.map(() => '>'),
  ])) as RawRead;
  return (reply ?? []).map(([stream, entries]) => [stream.toString(), entries]);
}
