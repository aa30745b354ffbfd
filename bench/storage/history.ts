/**
 * Positions that are stored already when a measurement begins: made by SQL, as many on each of thirty days, the last of
 * which is the day that is written to. Days that the default of POSITIONS_COMPRESS_AFTER_DAYS would have compressed
 * are.
 */
import type { Client } from 'pg';
import { FIRST_TS } from '../support/sample-frames.ts';

const DAYS = 30;
const UNCOMPRESSED_DAYS = 7;
const DAY_MS = 86_400_000;

/** Half a second beside those of `sample-frames.ts`, so that no key is there twice. */
const OFFSET_MS = 500;

/** With the attributes of `sample-frames.ts`, and values that change as theirs do. */
const INSERT = `
  insert into positions (device_id, ts, event_id, received_at, latitude, longitude, altitude, course, speed, hdop,
    satellites, valid, priority, attributes)
  select d, at, 0, at + interval '1 second', 54.6872 + (n % 3000) * 0.00009, 25.2797 + (n % 5000) * 0.00012,
    100 + n % 40, (n * 3 + d) % 360, 40 + n % 30, 0.7 + (n % 5) * 0.1, 8 + n % 6, true, 0,
    jsonb_build_object('ignition', true, 'motion', true, 'rssi', 3 + n % 3, 'gnssStatus', 1, 'batteryLevel', 97,
      'power', 13.8 + (n % 300) * 0.001, 'battery', 4.05 + (n % 20) * 0.001, 'pdop', 1.2 + (n % 8) * 0.1,
      'hdop', 0.7 + (n % 5) * 0.1, 'gnssSpeed', 40 + n % 30, 'odometer', 42872421 + n * 14, 'operator', 24602)
  from generate_series(0, $3::int - 1) n
  cross join generate_series(1, $2::int) d
  cross join lateral (select to_timestamp($1 / 1000.0) + n * (interval '1 day' / $3::int) as at) as moment`;

async function hasTimescale(client: Client): Promise<boolean> {
  const { rows } = await client.query('select from pg_extension where extname = \'timescaledb\'');
  return rows.length > 0;
}

/** About `rows` rows of these devices. Takes a quarter of a minute for each million. */
export async function fillHistory(client: Client, rows: number, devices: number): Promise<void> {
  const each = Math.ceil(rows / DAYS / devices);
  const isHypertable = await hasTimescale(client);
  for (let day = DAYS - 1; day >= 0; day -= 1) {
    const begin = FIRST_TS - day * DAY_MS;
    await client.query(INSERT, [begin + OFFSET_MS, devices, each]);
    if (isHypertable && day >= UNCOMPRESSED_DAYS) {
      const older = new Date(begin + DAY_MS).toISOString();
      await client.query('select compress_chunk(c, if_not_compressed => true) from show_chunks(\'positions\', older_than => $1::timestamptz) c', [older]);
    }
  }
  await client.query('vacuum (analyze) positions');
  await client.query('checkpoint');
}
