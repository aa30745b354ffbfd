/** The summaries of days, compared with the plainest computation over random records, in both kinds of storage. */
import type { Pool } from 'pg';
import { describe, expect, inject, test } from 'vitest';
import { prepareDatabase } from '../../../src/db/schema.ts';
import { cutIntoBuckets } from '../../../src/query/calendar/buckets.ts';
import { summarySql } from '../../../src/query/summaries/summary-sql.ts';
import type { SummaryRow } from '../../../src/query/summaries/summary-sql.ts';
import { NATIVE, TIMESCALE, openDatabase, recordingLog } from '../../db/fixture.ts';
import type { Reading } from './naive-summaries.ts';
import { naiveSummaries } from './naive-summaries.ts';

const ZONE = 'Europe/Berlin';
/** Around the end of summer time: the day has 25 hours. */
const BEGIN = Date.parse('2026-10-23T12:00:00Z');

function randomNumbers(seed: number): () => number {
  let state = seed;
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return state / 2 ** 32;
  };
}

/** A few days of a vehicle with every kind of trouble: gaps, jumps, lost fixes, missing and resetting values. */
function randomReadings(seed: number): Reading[] {
  const random = randomNumbers(seed);
  const readings: Reading[] = [];
  let [ts, latitude, longitude, odometer] = [BEGIN, 52.5, 13.4, 10_000];
  for (let index = 0; index < 900; index += 1) {
    const kind = random();
    ts += kind < 0.02 ? Math.floor(random() * 8 * 3_600_000) : Math.floor(random() * 700) * 1_000;
    if (kind > 0.05 || readings.length === 0) odometer += Math.floor(random() * 300);
    const speed = random() < 0.5 ? Math.round(random() * 8 * 4) / 4 : Math.round(random() * 100);
    latitude += (random() - 0.5) * 0.002;
    longitude += (random() - 0.5) * 0.002;
    const jump = random() < 0.02 ? 1 : 0;
    const hasFix = random() < 0.9;
    readings.push({
      ts, eventId: kind > 0.97 ? 0 : index % 5,
      latitude: hasFix ? latitude + jump : null, longitude: hasFix ? longitude : null, valid: hasFix && random() < 0.95,
      speed: random() < 0.1 ? null : speed,
      odometer: random() < 0.3 ? null : odometer, ignition: random() < 0.4 ? null : random() < 0.6,
    });
    if (random() < 0.01) odometer = 0;
  }
  // The key of a record.
  return [...new Map(readings.map((reading) => [`${reading.ts}/${reading.eventId}`, reading])).values()];
}

async function store(pool: Pool, deviceId: number, readings: readonly Reading[]): Promise<void> {
  const rows = readings.map(({ ts, odometer, ignition, eventId, ...rest }) => ({
    ...rest, device_id: deviceId, ts: new Date(ts), event_id: eventId, received_at: new Date(ts), priority: 0,
    attributes: { ...(odometer === null ? {} : { odometer }), ...(ignition === null ? {} : { ignition }), text: 'x' },
  }));
  await pool.query('insert into positions select (jsonb_populate_recordset(null::positions, $1)).*', [JSON.stringify(rows)]);
}

describe.each([
  { storage: 'native partitions', settings: NATIVE },
  ...(inject('servers').timescaledb ? [{ storage: 'TimescaleDB', settings: TIMESCALE }] : []),
])('with $storage', ({ settings }) => {
  test('days are as records tell them one by one, over the end of summer time', async () => {
    const { pool } = await openDatabase();
    await prepareDatabase(pool, settings, recordingLog());
    const devices = new Map([[1, randomReadings(1)], [2, randomReadings(2)], [3, randomReadings(3)]]);
    for (const [id, readings] of devices) await store(pool, id, readings);
    const range = { from: BEGIN + 20 * 3_600_000, to: BEGIN + 70 * 3_600_000 };
    const days = cutIntoBuckets(range, { kind: 'calendar', unit: 'day', count: 1 }, ZONE, 100);
    const { text, values } = summarySql(['1', '2', '3'], days);
    const { rows } = await pool.query<SummaryRow>({ text, values: [...values] });
    const found = rows.map((row) => Object.fromEntries(
      Object.entries(row).map(([name, value]) => [name, typeof value === 'number' ? Math.round(value * 1_000) / 1_000 : value]),
    ));
    const expected = [...devices].flatMap(([deviceId, readings]) => naiveSummaries(readings, days).map((day) => ({
      deviceId, day: day.day, records: day.records, firstAt: day.firstAt, lastAt: day.lastAt, topSpeed: day.topSpeed,
      movingSeconds: day.moving, idlingSeconds: day.idling, stoppedSeconds: day.stopped, engineSeconds: day.engine,
      odometerMetres: day.odometer, fixMetres: day.fixes,
    })));
    expect(found.length).toBeGreaterThan(6);
    expect(found).toEqual(expected.map((row) => Object.fromEntries(
      Object.entries(row).map(([name, value]) => [name, typeof value === 'number' ? expect.closeTo(value, 2) : value]),
    )));
  });
});
