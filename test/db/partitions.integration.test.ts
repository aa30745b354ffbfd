import type { Pool } from 'pg';
import { describe, expect, it } from 'vitest';
import { withSchemaLock } from '../../src/db/ddl.ts';
import { dayOf, partitionName, startOf } from '../../src/db/partition-days.ts';
import { maintainPartitions } from '../../src/db/partitions.ts';
import { prepareDatabase } from '../../src/db/schema.ts';
import { eventually } from '../support/eventually.ts';
import { insertRecord, NATIVE, openDatabase, openPool, recordingLog, value } from './fixture.ts';

const DAY_MS = 86_400_000;

interface Prepared {
  readonly pool: Pool;
  readonly url: string;
  readonly today: number;
  /** Epoch milliseconds. */
  readonly now: number;
}

async function prepare(settings: Partial<typeof NATIVE> = {}): Promise<Prepared> {
  const { pool, url } = await openDatabase();
  await prepareDatabase(pool, { ...NATIVE, ...settings }, recordingLog());
  const now = Date.now();
  return { pool, url, now, today: dayOf(now) };
}

async function partitions(pool: Pool): Promise<string[]> {
  const result = await pool.query<{ name: string }>(
    'select inhrelid::regclass::text as name from pg_inherits where inhparent = \'positions\'::regclass order by 1',
  );
  return result.rows.map(({ name }) => name);
}

/** Which table holds the record of a time. */
function tableOf(pool: Pool, ts: string): Promise<unknown> {
  return value(pool, 'select tableoid::regclass::text from positions where ts = $1', [ts]);
}

/** Stores `count` records of device 1, from the start of a day on, a millisecond apart. */
async function insertMany(pool: Pool, day: number, count: number): Promise<void> {
  await pool.query(
    `insert into positions (device_id, ts, received_at, valid)
     select 1, $1::timestamptz + n * interval '1 ms', now(), false from generate_series(1, $2) as n`,
    [startOf(day), count],
  );
}

describe('partitions of a new table', () => {
  it('are there from the days behind to the days ahead', async () => {
    const { pool, today } = await prepare({ POSITIONS_PARTITION_DAYS_AHEAD: 2, POSITIONS_PARTITION_DAYS_BEHIND: 3 });
    const days = [-3, -2, -1, 0, 1, 2].map((offset) => partitionName(today + offset));
    expect(await partitions(pool)).toEqual(['positions_default', ...days]);
  });

  it('hold the records of their day, and the default partition those of every other', async () => {
    const { pool, today } = await prepare();
    const lastInstant = `${startOf(today).slice(0, 10)} 23:59:59.999999+00`;
    const times = [startOf(today), lastInstant, '1970-01-01 00:00:00+00', '2099-01-01 00:00:00+00'];
    for (const ts of times) await insertRecord(pool, ts);
    const tables = await Promise.all(times.map((ts) => tableOf(pool, ts)));
    expect(tables).toEqual([partitionName(today), partitionName(today), 'positions_default', 'positions_default']);
  });
});

describe('maintainPartitions', () => {
  it('makes partitions as the days pass, and no others', async () => {
    const { pool, now, today } = await prepare();
    const nothing = { created: [], dropped: [], movedRows: 0, deletedRows: 0 };
    expect(await maintainPartitions(pool, NATIVE, now)).toEqual(nothing);
    const later = await maintainPartitions(pool, NATIVE, now + 2 * DAY_MS);
    expect(later?.created).toEqual([partitionName(today + 8), partitionName(today + 9)]);
  });

  it('moves the records that the default partition has for a new day', async () => {
    const { pool, now, today } = await prepare();
    const early = [startOf(today + 8), `${startOf(today + 8).slice(0, 10)} 12:00:00+00`];
    for (const ts of [...early, startOf(today + 9)]) await insertRecord(pool, ts);
    const result = await maintainPartitions(pool, NATIVE, now + DAY_MS);
    expect(result).toMatchObject({ created: [partitionName(today + 8)], movedRows: 2 });
    expect(await tableOf(pool, early[0] ?? '')).toBe(partitionName(today + 8));
    expect(await tableOf(pool, startOf(today + 9))).toBe('positions_default');
    await expect(insertRecord(pool, early[1] ?? '')).rejects.toMatchObject({ code: '23505' });
  });

  it('gives a crowded day of the default partition its own, and leaves the others', async () => {
    const { pool, now, today } = await prepare();
    await insertMany(pool, today - 100, 10_000);
    await insertMany(pool, today - 101, 9_999);
    await insertMany(pool, today + 100, 10_000);
    const result = await maintainPartitions(pool, NATIVE, now);
    expect(result).toMatchObject({ created: [partitionName(today - 100)], movedRows: 10_000 });
    expect(await value(pool, 'select count(*) from positions')).toBe(29_999);
  });

  it('drops what is older than POSITIONS_RETENTION_DAYS, and keeps what is not', async () => {
    const { pool, now, today } = await prepare();
    for (const offset of [-400, -31, -11, -10, -1]) await insertRecord(pool, startOf(today + offset));
    await insertRecord(pool, '1970-01-01 00:00:00+00');
    await insertRecord(pool, '2099-01-01 00:00:00+00');
    const result = await maintainPartitions(pool, { ...NATIVE, POSITIONS_RETENTION_DAYS: 10 }, now);
    expect(result?.dropped).toContain(partitionName(today - 11));
    expect(result).toMatchObject({ dropped: { length: 21 }, deletedRows: 2 });
    expect(await value(pool, 'select min(ts) from positions')).toBe((today - 10) * DAY_MS);
    expect(await value(pool, 'select count(*) from positions')).toBe(3);
    expect(await maintainPartitions(pool, NATIVE, now)).toMatchObject({ created: [] });
  });

  it('keeps everything at POSITIONS_RETENTION_DAYS=0', async () => {
    const { pool, now } = await prepare();
    await insertRecord(pool, '1970-01-01 00:00:00+00');
    expect(await maintainPartitions(pool, NATIVE, now + 1_000 * DAY_MS)).toMatchObject({ dropped: [], deletedRows: 0 });
  });

  it('deletes expired records of the default partition in more than one batch', async () => {
    const { pool, now, today } = await prepare();
    for (const offset of [-101, -102, -103]) await insertMany(pool, today + offset, 9_000);
    const result = await maintainPartitions(pool, { ...NATIVE, POSITIONS_RETENTION_DAYS: 10 }, now);
    expect(result?.deletedRows).toBe(27_000);
  });

  it('is done by one instance, and by none while another prepares the database', async () => {
    const { pool, url, now } = await prepare();
    const other = openPool(url).pool;
    const wait = { onWait: () => undefined };
    const result = await withSchemaLock(other, wait, () => maintainPartitions(pool, NATIVE, now));
    expect(result).toBeUndefined();
    const both = await Promise.all([pool, other].map((each) => maintainPartitions(each, NATIVE, now + 20 * DAY_MS)));
    expect(both.flatMap((maintenance) => maintenance?.created ?? [])).toHaveLength(20);
  });

  it('does nothing before positions is there', async () => {
    const { pool } = await openDatabase();
    expect(await maintainPartitions(pool, NATIVE, Date.now())).toBeUndefined();
  });

  it('gives way to writers of the default partition, and loses none of their records', async () => {
    const { pool, url, now, today } = await prepare();
    const { pool: writers } = openPool(url);
    const longWriter = await writers.connect();
    await longWriter.query('begin');
    await longWriter.query('insert into positions (device_id, ts, received_at, valid) values (2, $1, now(), false)', [
      startOf(today + 8),
    ]);
    const maintained = maintainPartitions(pool, NATIVE, now + DAY_MS);
    const waiting = 'select count(*) from pg_locks where relation = \'positions_default\'::regclass and not granted';
    await eventually(async () => (await value(writers, waiting)) !== 0);
    await insertRecord(writers, startOf(today));
    await insertRecord(writers, startOf(today + 8));
    await longWriter.query('commit');
    longWriter.release();
    expect(await maintained).toMatchObject({ created: [partitionName(today + 8)], movedRows: 2 });
  });
});

describe('a start beside a transaction that holds the default partition', () => {
  it('succeeds with a warning, since records find a place without new partitions', async () => {
    const { pool, url } = await prepare({ POSITIONS_PARTITION_DAYS_AHEAD: 1 });
    const holder = await openPool(url).pool.connect();
    await holder.query('begin; select count(*) from positions_default');
    const log = recordingLog();
    expect(await prepareDatabase(pool, NATIVE, log)).toEqual({ storage: 'partitions' });
    expect(log.lines).toMatchObject([{ level: 'warn', fields: { err: { code: '55P03' } } }]);
    await holder.query('rollback');
    holder.release();
  });
});
