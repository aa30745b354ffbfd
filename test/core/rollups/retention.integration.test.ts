/** What retention leaves of the rollups, and how a database of the version before gets them. */
import { expect, describe, test } from 'vitest';
import { migrate } from '../../../src/db/migrate.ts';
import { readMigrations } from '../../../src/db/migration-files.ts';
import { maintainPartitions } from '../../../src/db/partitions.ts';
import { MIGRATIONS_DIRECTORY, prepareDatabase } from '../../../src/db/schema.ts';
import { openDatabase, recordingLog, SCHEMA_SETTINGS, value } from '../../db/fixture.ts';
import type { RollupDatabase } from './support.ts';
import {
  DAY_MS, HOUR_MS, MINUTE_MS, expectLikeRaw, expectStoredLikeRaw, hourBefore, openRollups, randomOf, randomRows,
  rolledUpTo, round, row, withClient, write,
} from './support.ts';
import { STORAGES } from '../support.ts';

async function answer({ pool }: RollupDatabase, level: string, hour: number): Promise<unknown> {
  const sql = `select sum(records)::int as records, sum(speed_sum) as speed, sum(rollup_sum(attributes -> 'a'))::int as a
    from position_${level}_between(null, $1, $2)`;
  return (await pool.query(sql, [new Date(hour), new Date(hour + HOUR_MS)])).rows[0];
}

/** Drops what is as old as that, as TimescaleDB's job and the hourly run do. */
async function dropRaw(database: RollupDatabase, before: number): Promise<void> {
  const { pool, settings } = database;
  await maintainPartitions(pool, settings, Date.now());
  if ((await value(pool, 'select count(*) from pg_extension where extname = \'timescaledb\'')) === 0) return;
  await pool.query('select drop_chunks(\'positions\', older_than => $1::timestamptz)', [new Date(before)]);
}

describe.each(STORAGES)('in %s', (storage) => {
  test('a late record of an hour whose records were dropped leaves its rollup as it is', async () => {
    const database = await openRollups(storage);
    const { pool } = database;
    const [old, kept] = [hourBefore(40 * 24), hourBefore(20 * 24)];
    const rows = [old, kept].flatMap((hour) => [1, 2, 3].map((n) => row(n, hour + n * MINUTE_MS, { speed: n }, `{"a":${n}}`)));
    await rolledUpTo(pool, hourBefore(50 * 24));
    await write(pool, rows);
    await round(database);
    const before = { records: 3, speed: 6, a: 6 };
    const month = { ...database, settings: { ...database.settings, POSITIONS_RETENTION_DAYS: 30 } };
    await dropRaw(month, hourBefore(30 * 24));
    expect(await value(pool, 'select count(*) from positions')).toBe(3);
    await write(pool, [row(1, old + MINUTE_MS, { speed: 100 }, '{"a":100}')]);
    await write(pool, [row(1, kept + HOUR_MS - 1, { speed: 100 }, '{"a":100}')]);
    for (let rounds = 0; rounds < 2; rounds += 1) {
      for (const level of ['minutes', 'hours']) {
        expect(await answer(database, level, old), level).toEqual(before);
        expect(await answer(database, level, kept), level).toEqual({ records: 4, speed: 106, a: 106 });
      }
      expect((await round(month)).stats).toMatchObject({ marks: 0 });
    }
  });

  test('each level is dropped by its own setting; records that outlive it answer in its place', async () => {
    const database = await openRollups(storage, { ROLLUP_MINUTES_RETENTION_DAYS: 60, ROLLUP_HOURS_RETENTION_DAYS: 0 });
    const { pool, settings } = database;
    await rolledUpTo(pool, hourBefore(500 * 24));
    const ages = [3, 100, 450];
    await write(pool, ages.map((days) => row(1, hourBefore(days * 24))));
    await round({ ...database, settings: { ...settings, ROLLUP_MINUTES_RETENTION_DAYS: 0 } });
    expect(await value(pool, 'select count(*) from minute_rollups')).toBe(3);
    const dropped = await maintainPartitions(pool, settings, Date.now());
    expect(dropped?.dropped.length).toBeGreaterThan(1);
    expect(await value(pool, 'select count(*) from minute_rollups')).toBe(1);
    expect(await value(pool, 'select count(*) from hour_rollups')).toBe(3);
    await expectLikeRaw(pool);
    await write(pool, [row(1, hourBefore(100 * 24) + 1)]);
    await round(database);
    expect(await value(pool, 'select count(*) from minute_rollups')).toBe(1);
    await expectLikeRaw(pool);
  });

  test('records of any time are rolled up where everything is kept', async () => {
    const database = await openRollups(storage, { ROLLUP_MINUTES_RETENTION_DAYS: 0, ROLLUP_HOURS_RETENTION_DAYS: 0 });
    const { pool } = database;
    const times = [-700, 0, 1, 1969, 2099, 9999].map((year) => new Date(0).setUTCFullYear(year, 11, 31));
    await write(pool, times.map((ts) => row(1, ts)));
    expect(await round(database)).toMatchObject({ hours: { over: 0, late: 0, past: 4 }, filled: true });
    await write(pool, times.map((ts) => row(1, ts + 1)));
    expect(await round(database)).toMatchObject({ hours: { over: 0, late: 4, past: 0 }, stats: { marks: 0 } });
    await expectLikeRaw(pool);
    await expectStoredLikeRaw(pool);
  });

  test('a filled database of the version before is rolled up, the newest hour first', async () => {
    const { pool, url } = await openDatabase();
    const settings = { ...SCHEMA_SETTINGS, POSITIONS_STORAGE: storage as 'partitions' };
    const before = (await readMigrations(MIGRATIONS_DIRECTORY)).filter(({ name }) => name < '0008');
    if (storage === 'timescaledb') await pool.query('create extension timescaledb');
    await withClient(pool, (client) => migrate(client, before, storage as 'partitions', recordingLog()));
    await pool.query('insert into devices (unique_id) select n::text from generate_series(1, 4) n');
    await pool.query(`insert into positions (device_id, ts, received_at, valid, speed, attributes)
      select 1 + n % 4, now() - n * interval '47 minutes', now(), true, n, jsonb_build_object('n', n) from generate_series(0, 300) n
      union all select 1, '1970-01-02', now(), true, 1, '{}'`);
    await prepareDatabase(pool, settings, recordingLog());
    const database = { pool, url, settings };
    expect((await round(database)).hours).toEqual({ over: 0, late: 0, past: 0 });
    await expectLikeRaw(pool);

    await pool.query('update rollup_state set begins_at = now()');
    const stopped = new AbortController();
    setTimeout(() => { stopped.abort(); }, 300);
    await round(database, stopped.signal);
    await write(pool, randomRows(randomOf(5), 50, hourBefore(200), 200 * HOUR_MS));
    await expectLikeRaw(pool);
    const { filled } = await round(database);
    expect(filled).toBe(true);
    await expectLikeRaw(pool);
    await pool.query('delete from positions where ts < $1', [new Date(Date.now() - 1_000 * DAY_MS)]);
    await expectStoredLikeRaw(pool);
    expect((await round(database)).filled).toBe(false);
  });
});
