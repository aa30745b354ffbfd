/**
 * The rollups of a history, and the state of a system whose clock stands at its end: hours before it are rolled up,
 * later records are of the present hour. All devices of a history have the same records, so one is rolled up by core's
 * own functions, and the others get its rows; some of them are compared with their positions.
 */
import type { Client, PoolClient } from 'pg';
import { rollUp } from '../../src/core/rollups/hours.ts';
import { ROLLUP_VALUES } from '../../src/db/rollup-columns.ts';
import { createPool } from '../../src/db/pool.ts';
import { loadSettings } from '../../src/config/load.ts';
import { withClient } from '../support/database.ts';
import type { HistoryRange } from './history.ts';

const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;
/** Minutes of the last day and a half: those of all thirty days of 1,000 devices would be 43 million. */
const MINUTES_MS = 1.5 * DAY_MS;
/** Hours of a device in one call. */
const BATCH = 200;
/** The device that is rolled up, and those that are compared. */
const MODEL = 1;
const COMPARED = 3;

const copyOf = (table: string): string => `
  insert into ${table} (device_id, bucket, ${ROLLUP_VALUES.join(', ')})
  select d.id, bucket, ${ROLLUP_VALUES.map((column) => `r.${column}`).join(', ')}
  from devices d cross join ${table} r
  where r.device_id = ${MODEL} and d.id <> ${MODEL} order by d.id, bucket
  on conflict do nothing`;

/** The writer marks nothing that is not before the end, and core rolls nothing up meanwhile. */
const STATE = `
  update rollup_state set begins_at = 'infinity', mark_before = $1, rolled_to = $1, minutes_to = $1, minutes_from = $2, hours_from = '-infinity'`;

const COMPARE = `
  select (select sum(records) from hour_rollups where device_id = $1)::float8 as rolled,
    (select sum(speed_sum) from hour_rollups where device_id = $1)::float8 as "rolledSpeed",
    count(*)::float8 as raw, sum(speed::float8)::float8 as "rawSpeed"
  from positions where device_id = $1 and ts < $2`;

interface Comparison {
  readonly rolled: number | null;
  readonly rolledSpeed: number | null;
  readonly raw: number;
  readonly rawSpeed: number | null;
}

async function rollUpModel(url: string, { from, to }: HistoryRange): Promise<void> {
  const pool = createPool(loadSettings({ POSTGRES_STATEMENT_TIMEOUT_MS: '600000' }), url, 'bench', () => undefined);
  const client: PoolClient = await pool.connect();
  try {
    const hours = Array.from({ length: (to - from) / HOUR_MS }, (_, n) => (
      { deviceId: MODEL, hour: from + n * HOUR_MS }));
    for (let at = 0; at < hours.length; at += BATCH) {
      await rollUp(client, hours.slice(at, at + BATCH), { minutes: to - MINUTES_MS, hours: from, raw: from }, true);
    }
  } finally {
    client.release(true);
    await pool.end();
  }
}

async function compare(client: Client, to: number): Promise<void> {
  const { rows: devices } = await client.query<{ id: number | bigint }>(
    `select id from devices where id <> ${MODEL} order by hashtext(id::text) limit ${COMPARED}`);
  for (const { id } of devices) {
    const { rows: [found] } = await client.query<Comparison>(COMPARE, [id, new Date(to).toISOString()]);
    if (found !== undefined && found.rolled === found.raw && found.rolledSpeed === found.rawSpeed) continue;
    throw new Error(`the rollups of device ${id} are not those of its positions: ${JSON.stringify(found)}`);
  }
}

async function isRolledUp(client: Client, to: number): Promise<boolean> {
  const { rows } = await client.query('select from rollup_state where rolled_to = $1', [new Date(to).toISOString()]);
  return rows.length > 0;
}

/** Rolls the history up unless a run before has. */
export async function rollUpHistory(url: string, range: HistoryRange, say: (line: string) => void): Promise<void> {
  await withClient(url, async (client) => {
    if (await isRolledUp(client, range.to)) return;
    say('  rolling up');
    await rollUpModel(url, range);
    for (const table of ['minute_rollups', 'hour_rollups']) {
      await client.query(copyOf(table));
      await client.query(`vacuum (analyze) ${table}`);
    }
    await compare(client, range.to);
    await client.query(STATE, [range.to, range.to - MINUTES_MS].map((ms) => new Date(ms).toISOString()));
  });
}
