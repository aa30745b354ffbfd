/**
 * What keeps a partition in order beside reading it: acknowledged entries are trimmed, dead consumers removed, and the
 * lag is measured. Errors: those of Redis, for the caller to report; each step is safe to repeat.
 */
import type { EntryId } from '../shared/contracts/entry-id.ts';
import { earlier, parseEntryId } from '../shared/contracts/entry-id.ts';
import type { GroupInfo } from '../shared/contracts/stream-info.ts';
import { findLastGeneratedId, groupsOf, lastGeneratedId } from '../shared/contracts/stream-info.ts';
import { DURABLE_GROUPS, PROCESSOR_GROUP } from '../shared/contracts/telemetry-stream.ts';
import type { Redis } from '../shared/redis.ts';
import type { LagMeter } from './lag-meter.ts';

/** The first id that this group still needs. */
async function neededFrom(redis: Redis, stream: string, group: GroupInfo): Promise<EntryId> {
  if (group.pending > 0) {
    const [, first] = (await redis.xpending(stream, group.name)) as [number, string | null, ...unknown[]];
    if (first !== null) return parseEntryId(first);
  }
  const [milliseconds, sequence] = parseEntryId(group.lastDeliveredId);
  return [milliseconds, sequence + 1n];
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

/** The first id that is to be kept; null while a durable group does not exist. */
async function keepFrom(redis: Redis, stream: string, retentionMs: number): Promise<EntryId | null> {
  const groups = await groupsOf(redis, stream);
  let limit = await youngFrom(redis, stream, retentionMs);
  for (const name of DURABLE_GROUPS) {
    const group = groups.find((candidate) => candidate.name === name);
    if (group === undefined) return null;
    limit = earlier(limit, await neededFrom(redis, stream, group));
  }
  return limit;
}

/** Entries removed by one command, for Redis serves nobody else meanwhile. */
const TRIM_STEP = 10_000;

/**
 * Removes entries that every durable group has acknowledged and that are older than `retentionMs`, but for what is left
 * of the last node of the stream (some 100 entries). Nothing is removed while a durable group does not exist: it may be
 * about to be created again, and read from the beginning.
 * @returns the number of entries removed
 */
export async function trim(redis: Redis, stream: string, retentionMs: number): Promise<number> {
  const limit = await keepFrom(redis, stream, retentionMs);
  if (limit === null) return 0;
  let removed = 0;
  for (let step = -1; step !== 0; removed += step) {
    step = Number(await redis.call('XTRIM', stream, 'MINID', '~', limit.join('-'), 'LIMIT', TRIM_STEP));
  }
  return removed;
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
