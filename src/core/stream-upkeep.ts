/**
 * What keeps a partition in order beside reading it: acknowledged entries are trimmed, dead consumers removed, and the
 * lag is measured. Errors: those of Redis, for the caller to report; each step is safe to repeat.
 */
import type { EntryId } from '../shared/contracts/entry-id.ts';
import { earlier, parseEntryId } from '../shared/contracts/entry-id.ts';
import type { GroupInfo } from '../shared/contracts/stream-info.ts';
import { findLastGeneratedId, groupsOf, lastGeneratedId, memoryOf } from '../shared/contracts/stream-info.ts';
import { DURABLE_GROUPS, PROCESSOR_GROUP } from '../shared/contracts/telemetry-stream.ts';
import type { Redis } from '../shared/redis.ts';
import type { LagMeter } from './lag-meter.ts';

/** How much of what every durable group has acknowledged stays in a stream. */
export interface Retention {
  /** How long at most, milliseconds. */
  readonly ms: number;
  /** Memory of the stream in Redis over which it stays no longer than the groups of live servers need it. */
  readonly bytes: number;
}

/** The first id that this group still needs. */
async function neededFrom(redis: Redis, stream: string, group: GroupInfo): Promise<EntryId> {
  if (group.pending > 0) {
    const [, first] = (await redis.xpending(stream, group.name)) as [number, string | null, ...unknown[]];
    if (first !== null) return parseEntryId(first);
  }
  const [milliseconds, sequence] = parseEntryId(group.lastDeliveredId);
  return [milliseconds, sequence + 1n];
}

function neededFromByEach(redis: Redis, stream: string, groups: readonly GroupInfo[]): Promise<EntryId[]> {
  return Promise.all(groups.map((group) => neededFrom(redis, stream, group)));
}

/**
 * The first id that is young enough to be kept whoever has acknowledged it. Where the clock of Redis has fallen back,
 * ids go on from where it was: those further ahead than the retention have no age, and are not kept for it. Else
 * nothing would be trimmed until the clock has caught up, and Redis would fill.
 */
async function youngFrom(redis: Redis, stream: string, retentionMs: number): Promise<EntryId> {
  const [seconds] = await redis.time();
  const now = Number(seconds) * 1_000;
  const [newest] = parseEntryId((await findLastGeneratedId(redis, stream)) ?? '0-0');
  if (newest > BigInt(now + retentionMs)) return [newest + 1n, 0n];
  return [BigInt(Math.max(0, now - retentionMs)), 0n];
}

/** Nodes of the stream that are looked at for its size. */
const SAMPLES = 100;

/** How many entries are more than fit into so much memory, if all are of one size. */
async function entriesOver(redis: Redis, stream: string, maxBytes: number): Promise<number> {
  const bytes = await memoryOf(redis, stream, SAMPLES);
  return bytes <= maxBytes ? 0 : Math.ceil((await redis.xlen(stream)) * (1 - maxBytes / bytes));
}

/** Entries removed by one command, for Redis serves nobody else meanwhile: about a millisecond. */
const TRIM_STEP = 1_000;

/** Removes the oldest entries, before `limit` and at most so many, in whole nodes. @returns how many */
async function removeOldest(redis: Redis, stream: string, limit: EntryId, most: number): Promise<number> {
  let removed = 0;
  while (removed < most) {
    const step = Math.min(TRIM_STEP, most - removed);
    const done = Number(await redis.call('XTRIM', stream, 'MINID', '~', limit.join('-'), 'LIMIT', step));
    if (done === 0) break;
    removed += done;
  }
  return removed;
}

/**
 * Removes entries that every durable group has acknowledged, but for what is left of the last node of the stream (some
 * 100 entries): those that are too old, and of a stream that is too large those that every group has been given.
 * Nothing is removed while a durable group does not exist: it may be about to be created again, and read from the
 * beginning.
 * @returns the number of entries removed
 */
export async function trim(redis: Redis, stream: string, retention: Retention): Promise<number> {
  const groups = await groupsOf(redis, stream);
  const durable = groups.filter(({ name }) => DURABLE_GROUPS.includes(name));
  if (durable.length < DURABLE_GROUPS.length) return 0;
  const acknowledged = (await neededFromByEach(redis, stream, durable)).reduce(earlier);
  const old = earlier(acknowledged, await youngFrom(redis, stream, retention.ms));
  const removed = await removeOldest(redis, stream, old, Number.POSITIVE_INFINITY);
  const over = await entriesOver(redis, stream, retention.bytes);
  if (over === 0) return removed;
  const others = groups.filter((group) => !durable.includes(group));
  const read = (await neededFromByEach(redis, stream, others)).reduce(earlier, acknowledged);
  return removed + (await removeOldest(redis, stream, read, over));
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
  /** undefined where the group does not exist or nobody can tell. */
  readonly lag: number | undefined;
}

async function measureOne(redis: Redis, stream: string, meter: LagMeter): Promise<StreamStats> {
  const entries = await redis.xlen(stream);
  const group = (await groupsOf(redis, stream)).find(({ name }) => name === PROCESSOR_GROUP);
  if (group === undefined) return { entries, pending: 0, lag: undefined };
  const { lag: reported, lastDeliveredId, pending } = group;
  const lastId = await lastGeneratedId(redis, stream);
  return { entries, pending, lag: meter.lagOf(stream, { reported, lastDeliveredId, lastId }) };
}

/** Over all partitions. */
export async function measure(redis: Redis, streams: readonly string[], meter: LagMeter): Promise<StreamStats> {
  const all = await Promise.all(streams.map((stream) => measureOne(redis, stream, meter)));
  const known = all.flatMap(({ lag }) => lag ?? []);
  return {
    entries: all.reduce((sum, { entries }) => sum + entries, 0),
    pending: all.reduce((sum, { pending }) => sum + pending, 0),
    lag: known.length === 0 ? undefined : known.reduce((sum, lag) => sum + lag, 0),
  };
}
