/** The rollups answer at any moment what the rows of positions are, whatever was rolled up when, in both storages. */
import { AssertionError } from 'node:assert';
import { describe, expect, test } from 'vitest';
import { beginMarking, markLate } from '../../../src/core/rollups/marks.ts';
import { ROLLUP_VALUES } from '../../../src/db/rollup-columns.ts';
import { value } from '../../db/fixture.ts';
import { eventually } from '../../support/eventually.ts';
import {
  DAY_MS, HOUR_MS, MINUTE_MS, again, expectLikeRaw, expectStoredLikeRaw, hourBefore, openRollups, randomOf, randomRows,
  rolledUpTo, round, row, withClient, write,
} from './support.ts';
import { STORAGES } from '../support.ts';

const SPAN = 6 * HOUR_MS;

describe.each(STORAGES)('in %s', (storage) => {
  test('before anything is rolled up, positions answers', async () => {
    const { pool } = await openRollups(storage);
    await write(pool, randomRows(randomOf(1), 300, hourBefore(5), SPAN));
    await expectLikeRaw(pool);
  });

  test('hours that are over are rolled up, those after them are answered from positions', async () => {
    const database = await openRollups(storage);
    const { pool } = database;
    await rolledUpTo(pool, hourBefore(7));
    await write(pool, randomRows(randomOf(2), 400, hourBefore(5), SPAN));
    const { hours, stats } = await round(database);
    expect(hours).toMatchObject({ late: 0, past: 0 });
    expect(hours.over).toBeGreaterThan(15);
    expect(stats).toMatchObject({ marks: 0 });
    expect(stats!.lagSeconds).toBeLessThan(7_500);
    await expectLikeRaw(pool);
    await expectStoredLikeRaw(pool);
    expect((await round(database)).hours).toEqual({ over: 0, late: 0, past: 0 });
  });

  test('an hour of more records than one read of the socket has', async () => {
    const database = await openRollups(storage);
    const { pool } = database;
    await rolledUpTo(pool, hourBefore(7));
    await write(pool, randomRows(randomOf(5), 4_000, hourBefore(3), HOUR_MS));
    await round(database);
    await expectStoredLikeRaw(pool);
  });

  test('hours that do not fit into memory together are rolled up in parts, one that does not fit alone in the database', async () => {
    const database = await openRollups(storage);
    const { pool } = database;
    await rolledUpTo(pool, hourBefore(7));
    // Names that are never the same: 9,000 of one tracker, 3,000 of each of the others.
    const rows = [1, 2, 3, 4].flatMap((device) => Array.from({ length: device === 1 ? 90 : 30 }, (_, n) => {
      const names = Array.from({ length: 100 }, (_unused, name) => [`d${device}n${n * 100 + name}`, name]);
      return row(device, hourBefore(3) + n * 20_000, {}, JSON.stringify(Object.fromEntries(names)));
    }));
    await write(pool, rows);
    expect((await round(database)).hours.over).toBe(4);
    await expectStoredLikeRaw(pool);
  });

  test('what a round that was cut off has stored is stored again', async () => {
    const database = await openRollups(storage);
    const { pool } = database;
    await rolledUpTo(pool, hourBefore(7));
    await write(pool, randomRows(randomOf(6), 200, hourBefore(5), SPAN));
    await round(database);
    await write(pool, randomRows(randomOf(7), 50, hourBefore(4), SPAN));
    // As if it had not come to say so.
    await rolledUpTo(pool, hourBefore(7));
    expect((await round(database)).hours.over).toBeGreaterThan(15);
    await expectStoredLikeRaw(pool);
  });

  test('late, repeated and replayed records count at once, and are in what is stored after the next round', async () => {
    const database = await openRollups(storage);
    const { pool } = database;
    const random = randomOf(3);
    await rolledUpTo(pool, hourBefore(100));
    const first = randomRows(random, 400, hourBefore(5), SPAN);
    await write(pool, first);
    await round(database);
    for (let batch = 0; batch < 5; batch += 1) {
      const late = randomRows(random, 60, hourBefore(batch === 4 ? 90 : 5), SPAN);
      await write(pool, batch % 2 === 0 ? late : [...late, ...first.slice(0, 100)]);
      await write(pool, late);
      await expectLikeRaw(pool);
    }
    const { hours, stats } = await round(database);
    expect(hours.late).toBeGreaterThan(20);
    expect(stats).toMatchObject({ marks: 0 });
    await expectLikeRaw(pool);
    await expectStoredLikeRaw(pool);
  });

  test('more marks than are counted in every round are told as the database estimates them', async () => {
    const database = await openRollups(storage);
    const { pool } = database;
    const insert = "insert into rollup_marks (device_id, hour) select 1, now() + interval '1 day' from generate_series(1, $1)";
    await pool.query(insert, [9_999]);
    expect((await round(database)).stats).toMatchObject({ marks: 9_999 });
    await pool.query(insert, [15_001]);
    expect((await round(database)).stats?.marks).toBeGreaterThanOrEqual(10_000);
    await pool.query('analyze rollup_marks');
    expect((await round(database)).stats).toMatchObject({ marks: 25_000 });
  });

  test('records of present hours leave no mark, and what is there already leaves none', async () => {
    const { pool } = await openRollups(storage);
    await rolledUpTo(pool, hourBefore(1));
    const old = [row(1, hourBefore(2))];
    await write(pool, [row(1, Date.now()), row(2, hourBefore(1)), row(3, Date.now() + DAY_MS)]);
    expect(await value(pool, 'select count(*) from rollup_marks')).toBe(0);
    await write(pool, old);
    await write(pool, old);
    expect(await value(pool, 'select count(*) from rollup_marks')).toBe(1);
  });

  test('of records at one instant the first and the last are those by event', async () => {
    const database = await openRollups(storage);
    const { pool } = database;
    await rolledUpTo(pool, hourBefore(7));
    const ts = hourBefore(3);
    await write(pool, [9, 2, 5].map((eventId) => row(1, ts, { eventId, speed: eventId }, `{"event":${eventId}}`)));
    await round(database);
    const sql = 'select speed_first, speed_last, rollup_first(attributes -> \'event\')::int as first, rollup_last(attributes -> \'event\')::int as last';
    const { rows } = await pool.query(`${sql} from position_hours`);
    expect(rows).toEqual([{ speed_first: 2, speed_last: 9, first: 2, last: 9 }]);
  });

  test('bounds take whole buckets, whether they are stored or not', async () => {
    const database = await openRollups(storage);
    const { pool } = database;
    await rolledUpTo(pool, hourBefore(7));
    const start = hourBefore(3);
    await write(pool, [0, 1, 61, 120, 180].map((minute) => row(1, start + minute * MINUTE_MS)));
    const buckets = async (level: string, from: number, to: number): Promise<unknown[]> => {
      const { rows } = await pool.query<{ bucket: number }>(
        `select bucket from position_${level}_between(array[1, 2], $1, $2) order by 1`, [new Date(from), new Date(to)]);
      return rows.map(({ bucket }) => (bucket - start) / MINUTE_MS);
    };
    for (let rounds = 0; rounds < 2; rounds += 1) {
      expect(await buckets('minutes', start + MINUTE_MS, start + 120 * MINUTE_MS)).toEqual([1, 61]);
      expect(await buckets('minutes', start, start + HOUR_MS * 4)).toEqual([0, 1, 61, 120, 180]);
      expect(await buckets('hours', start + HOUR_MS, start + 3 * HOUR_MS)).toEqual([60, 120]);
      await round(database);
      await write(pool, [row(3, start + 200 * MINUTE_MS)]);
      await write(pool, [row(1, start + 61 * MINUTE_MS + 1_000)]);
    }
  });

  test('an hour is not rolled up while a writer that began before it was closed goes on', async () => {
    const database = await openRollups(storage);
    const { pool } = database;
    await rolledUpTo(pool, hourBefore(4));
    await withClient(pool, async (writer) => {
      const markBefore = await beginMarking(writer);
      const ts = hourBefore(3);
      await writer.query('insert into positions (device_id, ts, received_at, valid) values (1, $1, now(), true)', [new Date(ts)]);
      await markLate(writer, [row(1, ts)], markBefore);
      const { waited, hours } = await round(database, AbortSignal.timeout(400));
      expect({ waited, hours }).toEqual({ waited: true, hours: { over: 0, late: 0, past: 0 } });
      await expectLikeRaw(pool);
      await writer.query('commit');
    });
    expect((await round(database)).hours).toEqual({ over: 1, late: 0, past: 0 });
    await expectLikeRaw(pool);
    await expectStoredLikeRaw(pool);
  });

  test('a writer waits neither for a round nor for another writer of the same hour', async () => {
    const database = await openRollups(storage);
    const { pool } = database;
    await rolledUpTo(pool, hourBefore(1));
    const ts = hourBefore(3);
    await withClient(pool, async (slow) => {
      await slow.query('begin');
      await slow.query('insert into rollup_marks (device_id, hour) values (1, $1)', [new Date(ts)]);
      await slow.query('lock table minute_rollups, hour_rollups in access exclusive mode');
      const rolling = round(database);
      await write(pool, [row(1, ts), row(1, ts + 1)]);
      await slow.query('rollback');
      await rolling;
    });
    await round(database);
    await expectStoredLikeRaw(pool);
  });

  test('two processors that roll up while two write late and new records, and connections die: nothing is lost', async () => {
    const database = await openRollups(storage);
    const { pool } = database;
    await rolledUpTo(pool, hourBefore(6));
    await pool.query('update rollup_state set minutes_from = rolled_to, hours_from = rolled_to');
    const random = randomOf(4);
    let failures = 0;
    const mayFail = (work: () => Promise<unknown>) => async (): Promise<void> => {
      await work().catch(() => { failures += 1; });
    };
    const writeSome = (): Promise<unknown> => write(pool, [
      ...randomRows(random, 40, hourBefore(8), 8 * HOUR_MS),
      ...randomRows(random, 20, Date.now() - 10 * MINUTE_MS, 10 * MINUTE_MS),
    ]);
    const ends = [
      again(mayFail(writeSome)), again(mayFail(writeSome)),
      again(mayFail(() => round(database))), again(mayFail(() => round(database))),
      again(mayFail(() => pool.query(`
        select pg_sleep(0.03), pg_terminate_backend(pid) from pg_stat_activity
        where datname = current_database() and backend_type = 'client backend' and pid <> pg_backend_pid() and random() < 0.3`))),
    ];
    const wrong: unknown[] = [];
    for (const until = Date.now() + 5_000; Date.now() < until;) {
      // A connection that is cut says nothing about the answers.
      await expectLikeRaw(pool).catch((error: unknown) => { if (error instanceof AssertionError) wrong.push(error); });
    }
    expect(wrong).toEqual([]);
    for (const end of ends) await end();
    expect(failures).toBeGreaterThan(10);
    await eventually(async () => (await round(database)).stats?.marks === 0);
    await expectLikeRaw(pool);
    expect(await value(pool, 'select hours_from from rollup_state')).toBeLessThan(hourBefore(24 * 365));
    await expectStoredLikeRaw(pool);
  });
});

test('the columns that core writes are those of the tables', async () => {
  const { pool } = await openRollups('partitions');
  for (const table of ['minute_rollups', 'hour_rollups']) {
    const { rows } = await pool.query<{ name: string }>(
      'select attname::text as name from pg_attribute where attrelid = to_regclass($1) and attnum > 0', [table]);
    expect(rows.map(({ name }) => name)).toEqual(['device_id', 'bucket', ...ROLLUP_VALUES]);
  }
});
