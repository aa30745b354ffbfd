/** Minutes of an hour that is not over: stored, corrected, and made an hour of; answers are those of the records. */
import type { PoolClient } from 'pg';
import { describe, expect, test } from 'vitest';
import { beginMarking, markLate } from '../../../src/core/rollups/marks.ts';
import type { MinutesWork } from '../../../src/core/rollups/minutes.ts';
import { rollUpLateMinutes, rollUpMinutes } from '../../../src/core/rollups/minutes.ts';
import { setMinutesTo } from '../../../src/core/rollups/state.ts';
import { applyRetention } from '../../../src/db/rollup-retention.ts';
import { value } from '../../db/fixture.ts';
import { eventually } from '../../support/eventually.ts';
import type { RollupDatabase } from './support.ts';
import {
  DAY_MS, HOUR_MS, MINUTE_MS, expectLikeRaw, expectStoredLikeRaw, hourBefore, openRollups, randomOf, randomRows,
  rolledUpTo, round, row, withClient, write,
} from './support.ts';
import { STORAGES } from '../support.ts';

const ALL = { raw: -Infinity, minutes: -Infinity, hours: -Infinity };
/** An hour that stands as if it was not over. */
/** Three hours from here are over, and have been for long enough. */
const HOUR = hourBefore(4);

function workOf(client: PoolClient): MinutesWork {
  return { client, kept: ALL, signal: new AbortController().signal, onStored: () => undefined };
}

/** As a round does at that time. */
async function minutesUpTo({ pool }: RollupDatabase, to: number): Promise<void> {
  await withClient(pool, async (client) => {
    await pool.query('update rollup_state set mark_before = $1', [new Date(to)]);
    for (let at = Number(await value(pool, 'select minutes_to from rollup_state')); at < to;) {
      at = await rollUpMinutes(workOf(client), at, to) ?? to;
      await setMinutesTo(client, at);
    }
  });
}

/** Records of three hours, of which none is over and the minutes of the first hour and a half are stored. */
async function openHours(storage: string, seed: number): Promise<RollupDatabase> {
  const database = await openRollups(storage);
  await rolledUpTo(database.pool, HOUR);
  await write(database.pool, randomRows(randomOf(seed), 600, HOUR, 3 * HOUR_MS));
  await minutesUpTo(database, HOUR + 90 * MINUTE_MS);
  return database;
}

const marks = ({ pool }: RollupDatabase): Promise<unknown> => value(pool, 'select count(*) from rollup_marks');

async function correct({ pool }: RollupDatabase): Promise<void> {
  await withClient(pool, async (client) => {
    while (await rollUpLateMinutes(workOf(client)));
  });
}

describe.each(STORAGES)('in %s', (storage) => {
  test('minutes of hours that are not over answer for both levels, and the records for what follows', async () => {
    const database = await openHours(storage, 11);
    const { pool } = database;
    await expectLikeRaw(pool);
    await expectStoredLikeRaw(pool);
    expect(await value(pool, 'select count(*) from hour_rollups')).toBe(0);
    const records = 'select sum(records) from position_hours';
    const before = await value(pool, records);
    await pool.query('delete from positions where ts < $1', [new Date(HOUR + 90 * MINUTE_MS)]);
    expect(await value(pool, records)).toBe(before);
  });

  test('a late record marks its minute, counts at once, and is in what is stored after the next round', async () => {
    const database = await openHours(storage, 12);
    const { pool } = database;
    const minute = HOUR + 5 * MINUTE_MS;
    await write(pool, [row(1, minute), row(1, minute + MINUTE_MS - 1), row(2, HOUR + 100 * MINUTE_MS)]);
    expect(await marks(database)).toBe(1);
    await write(pool, randomRows(randomOf(13), 200, HOUR, 3 * HOUR_MS));
    await expectLikeRaw(pool);
    await correct(database);
    expect(await marks(database)).toBe(0);
    await expectLikeRaw(pool);
    await expectStoredLikeRaw(pool);
  });

  test('trackers whose minutes take longer together than a statement may are rolled up in parts', async () => {
    const database = await openHours(storage, 14);
    const { pool } = database;
    await write(pool, [1, 2, 3, 4].map((device) => row(device, HOUR + 95 * MINUTE_MS)));
    await pool.query(`create function take_time() returns trigger language plpgsql as
      'begin perform pg_sleep(0.1); return new; end'`);
    await pool.query('create trigger slow before insert on minute_rollups for each row execute function take_time()');
    const before = await value(pool, 'select count(*) from minute_rollups');
    await withClient(pool, async (client) => {
      await client.query('set statement_timeout = 250');
      await rollUpMinutes(workOf(client), HOUR + 95 * MINUTE_MS, HOUR + 96 * MINUTE_MS);
    });
    expect(await value(pool, 'select count(*) from minute_rollups')).toBe(Number(before) + 4);
  });

  test('a mark without a minute stands for its whole hour, beside those of its minutes', async () => {
    const database = await openHours(storage, 14);
    const { pool } = database;
    await pool.query('insert into positions (device_id, ts, received_at, valid, speed) select 1, $1::timestamptz + n * interval \'1 minute\', now(), true, n from generate_series(0, 170) n', [new Date(HOUR + 1)]);
    await pool.query('insert into rollup_marks (device_id, hour) select distinct device_id, date_trunc(\'hour\', ts, \'UTC\') from positions where device_id = 1');
    await write(pool, [row(1, HOUR + 5 * MINUTE_MS + 2), row(2, HOUR + 5 * MINUTE_MS + 2)]);
    await expectLikeRaw(pool);
    await correct(database);
    await expectLikeRaw(pool);
    await minutesUpTo(database, HOUR + 3 * HOUR_MS);
    await expectLikeRaw(pool);
    await round(database);
    await expectStoredLikeRaw(pool);
    expect(await marks(database)).toBe(0);
  });

  test('an hour that is over is made of its minutes', async () => {
    const database = await openHours(storage, 15);
    const { pool } = database;
    await write(pool, randomRows(randomOf(16), 100, HOUR, HOUR_MS));
    await minutesUpTo(database, HOUR + 2 * HOUR_MS);
    await correct(database);
    const answer = 'select count(*)::int as hours, sum(records)::int as records, sum(speed_sum)::int as speed, sum(rollup_sum(attributes -> \'whole\'))::int as whole from';
    const before = await pool.query(`${answer} position_hours where bucket < $1`, [new Date(HOUR + 2 * HOUR_MS)]);
    // Not of the records.
    await pool.query('delete from positions where ts < $1', [new Date(HOUR + 2 * HOUR_MS)]);
    const { hours } = await round(database);
    expect(hours.late).toBe(0);
    expect(hours.over).toBe(12);
    const after = await pool.query(`${answer} hour_rollups where bucket < $1`, [new Date(HOUR + 2 * HOUR_MS)]);
    expect(after.rows).toEqual(before.rows);
  });

  test('an hour that is over while records come late for it is stored right', async () => {
    const database = await openHours(storage, 17);
    const { pool } = database;
    await minutesUpTo(database, HOUR + 3 * HOUR_MS);
    await write(pool, randomRows(randomOf(18), 100, HOUR, 3 * HOUR_MS));
    // Of a writer that has read the state before the hours were rolled up.
    await withClient(pool, async (writer) => {
      const marking = await beginMarking(writer);
      await round(database, AbortSignal.timeout(400));
      await expectLikeRaw(pool);
      const late = row(1, HOUR + 7 * MINUTE_MS + 1);
      await writer.query('insert into positions (device_id, ts, received_at, valid) values (1, $1, now(), true)', [new Date(late.record.ts)]);
      await markLate(writer, [late], marking);
      await writer.query('commit');
    });
    await expectLikeRaw(pool);
    expect((await round(database)).stats).toMatchObject({ marks: 0 });
    await expectLikeRaw(pool);
    await expectStoredLikeRaw(pool);
  });

  test('minutes that a round has stored which was cut off are stored again', async () => {
    const database = await openHours(storage, 19);
    const { pool } = database;
    await pool.query('update rollup_state set minutes_to = $1', [new Date(HOUR + 10 * MINUTE_MS)]);
    await write(pool, randomRows(randomOf(20), 100, HOUR, HOUR_MS));
    await expectLikeRaw(pool);
    await minutesUpTo(database, HOUR + 90 * MINUTE_MS);
    await correct(database);
    await expectStoredLikeRaw(pool);
  });

  test('minutes that do not fit into memory are rolled up in the database', async () => {
    const database = await openRollups(storage);
    const { pool } = database;
    await rolledUpTo(pool, HOUR);
    await write(pool, Array.from({ length: 120 }, (_, n) => {
      const names = Array.from({ length: 120 }, (_unused, name) => [`n${n * 120 + name}`, name]);
      return row(1 + (n % 2 === 0 ? 0 : n % 3), HOUR + n * 2_000, {}, JSON.stringify(Object.fromEntries(names)));
    }));
    await minutesUpTo(database, HOUR + 10 * MINUTE_MS);
    await expectStoredLikeRaw(pool);
    await expectLikeRaw(pool);
  });

  test('a round leaves the last minutes to the records, and all of them to a writer that goes on', async () => {
    const database = await openRollups(storage);
    const { pool } = database;
    await rolledUpTo(pool, hourBefore(2));
    await write(pool, randomRows(randomOf(21), 300, Date.now() - 30 * MINUTE_MS, 30 * MINUTE_MS));
    await withClient(pool, async (writer) => {
      await beginMarking(writer);
      expect(await round(database, AbortSignal.timeout(400))).toMatchObject({ waited: true, minutes: 0 });
      await writer.query('rollback');
    });
    // The session of the round before has the lock until the server has noticed its end.
    const { stats } = await eventually(async () => {
      const result = await round(database);
      expect(result.minutes).toBeGreaterThan(0);
      return result;
    });
    expect(stats!.minutesLagSeconds).toBeGreaterThanOrEqual(60);
    expect(stats!.minutesLagSeconds).toBeLessThan(140);
    await expectLikeRaw(pool);
    await expectStoredLikeRaw(pool);
  });

  test('minutes of hours that were never rolled up are given up where retention may drop them', async () => {
    const database = await openHours(storage, 22);
    const { pool } = database;
    const kept = { raw: -Infinity, minutes: HOUR + HOUR_MS, hours: HOUR - DAY_MS };
    await withClient(pool, (client) => applyRetention(client, kept));
    await pool.query('delete from minute_rollups');
    await expectLikeRaw(pool);
    await round(database);
    await expectLikeRaw(pool);
  });
});
