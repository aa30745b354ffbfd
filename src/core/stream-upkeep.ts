/**
 * What keeps a partition in order beside reading it: entries in hand are renewed, dead consumers' entries are claimed and
 * dead consumers removed, acknowledged entries are trimmed, and the lag is measured.
 */
import { DURABLE_GROUPS, PROCESSOR_GROUP } from '../shared/contracts/telemetry-stream.ts';
import type { Redis } from '../shared/redis.ts';

/** Ids are `<ms>-<sequence>`, both unsigned 64 bit. */
type EntryId = readonly [milliseconds: bigint, sequence: bigint];

function parseId(id: string): EntryId {
  const [milliseconds, sequence] = id.split('-');
  return [BigInt(milliseconds ?? '0'), BigInt(sequence ?? '0')];
}

function earlier(a: EntryId, b: EntryId): EntryId {
  if (a[0] !== b[0]) return a[0] < b[0] ? a : b;
  return a[1] < b[1] ? a : b;
}

export interface GroupInfo {
  readonly name: string;
  readonly pending: number;
  readonly lastDeliveredId: string;
  /** null where Redis cannot tell, as before version 7. */
  readonly lag: number | null;
}

/** XINFO GROUPS; empty while the stream does not exist. */
export async function groupsOf(redis: Redis, stream: string): Promise<GroupInfo[]> {
  let rows: unknown[][];
  try {
    rows = (await redis.xinfo('GROUPS', stream)) as unknown[][];
  } catch (error) {
    if (error instanceof Error && error.name === 'ReplyError' && error.message.includes('no such key')) return [];
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

/** The first id that this group still needs. */
async function neededFrom(redis: Redis, stream: string, group: GroupInfo): Promise<EntryId> {
  if (group.pending > 0) {
    const [, first] = (await redis.xpending(stream, group.name)) as [number, string | null, ...unknown[]];
    if (first !== null) return parseId(first);
  }
  const [milliseconds, sequence] = parseId(group.lastDeliveredId);
  return [milliseconds, sequence + 1n];
}

/**
 * Removes entries that every durable group has acknowledged and that are older than `retentionMs`. Nothing is removed
 * while a durable group does not exist: it may be about to be created again, and read from the beginning.
 * @returns the number of entries removed
 */
export async function trim(redis: Redis, stream: string, retentionMs: number): Promise<number> {
  const groups = await groupsOf(redis, stream);
  const durable = DURABLE_GROUPS.map((name) => groups.find((group) => group.name === name));
  const [seconds] = await redis.time();
  let limit: EntryId = [BigInt(Math.max(0, Number(seconds) * 1_000 - retentionMs)), 0n];
  for (const group of durable) {
    if (group === undefined) return 0;
    limit = earlier(limit, await neededFrom(redis, stream, group));
  }
  return Number(await redis.call('XTRIM', stream, 'MINID', '~', limit.join('-')));
}

/** Deleting a consumer deletes what is pending for it, so that it has none is checked in the same step. */
const REMOVE_DEAD = `
  local removed = {}
  local consumers = redis.pcall('XINFO', 'CONSUMERS', KEYS[1], ARGV[1])
  if consumers.err then return removed end
  for _, row in ipairs(consumers) do
    local consumer = {}
    for i = 1, #row, 2 do consumer[row[i]] = row[i + 1] end
    if consumer.pending == 0 and consumer.idle > tonumber(ARGV[2]) then
      redis.call('XGROUP', 'DELCONSUMER', KEYS[1], ARGV[1], consumer.name)
      table.insert(removed, consumer.name)
    end
  end
  return removed`;

/** Removes consumers that have nothing pending and were silent for `expiryMs`. @returns their names */
export async function removeDeadConsumers(redis: Redis, stream: string, expiryMs: number): Promise<string[]> {
  return (await redis.eval(REMOVE_DEAD, 1, stream, PROCESSOR_GROUP, expiryMs)) as string[];
}

export interface StreamStats {
  readonly entries: number;
  readonly pending: number;
  /** undefined where the group does not exist or Redis cannot tell. */
  readonly lag: number | undefined;
}

/** Over all partitions. */
export async function measure(redis: Redis, streams: readonly string[]): Promise<StreamStats> {
  let [entries, pending] = [0, 0];
  let lag: number | undefined;
  for (const stream of streams) {
    entries += await redis.xlen(stream);
    const group = (await groupsOf(redis, stream)).find(({ name }) => name === PROCESSOR_GROUP);
    pending += group?.pending ?? 0;
    if (typeof group?.lag === 'number') lag = (lag ?? 0) + group.lag;
  }
  return { entries, pending, lag };
}
