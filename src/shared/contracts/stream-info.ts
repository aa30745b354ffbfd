/** What Redis knows of a stream and its consumer groups. Errors: those of Redis. */
import type { Redis } from '../redis.ts';

export interface GroupInfo {
  readonly name: string;
  readonly pending: number;
  readonly lastDeliveredId: string;
  /** null where Redis cannot tell, as before version 7. */
  readonly lag: number | null;
}

function isStreamMissing(error: unknown): boolean {
  return error instanceof Error && error.name === 'ReplyError' && error.message.includes('no such key');
}

/** XINFO GROUPS; empty while the stream does not exist. */
export async function groupsOf(redis: Redis, stream: string): Promise<GroupInfo[]> {
  let rows: unknown[][];
  try {
    rows = (await redis.xinfo('GROUPS', stream)) as unknown[][];
  } catch (error) {
    if (isStreamMissing(error)) return [];
    throw error;
  }
  return rows.map((row) => {
    const value = (field: string): unknown => row[row.indexOf(field) + 1];
    const lag = row.includes('lag') ? value('lag') : null;
    return {
      name: String(value('name')),
      pending: Number(value('pending')),
      lastDeliveredId: String(value('last-delivered-id')),
      lag: typeof lag === 'number' ? lag : null,
    };
  });
}

/** The id of the newest entry that an existing stream ever had; `0-0`: it never had one. */
export async function lastGeneratedId(redis: Redis, stream: string): Promise<string> {
  const row = (await redis.xinfo('STREAM', stream)) as unknown[];
  return String(row[row.indexOf('last-generated-id') + 1]);
}

/** As `lastGeneratedId`; undefined while the stream does not exist. */
export async function findLastGeneratedId(redis: Redis, stream: string): Promise<string | undefined> {
  try {
    return await lastGeneratedId(redis, stream);
  } catch (error) {
    if (isStreamMissing(error)) return undefined;
    throw error;
  }
}

/**
 * Memory that a stream takes in Redis, bytes; 0: it does not exist.
 * @param samples nodes that are looked at, for Redis serves nobody else meanwhile; with more than that it is estimated
 */
export async function memoryOf(redis: Redis, stream: string, samples: number): Promise<number> {
  return (await redis.memory('USAGE', stream, 'SAMPLES', samples)) ?? 0;
}
