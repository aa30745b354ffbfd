/**
 * Publishes the table `devices` to Redis for ingest to decide by: replaced in one transaction, and only when it has
 * changed. Errors: those of PostgreSQL and Redis; what was published stays until the next attempt.
 */
import type { Pool } from 'pg';
import { rowsOf } from '../db/rows.ts';
import { DEVICE_LIST_DIGEST_KEY, DISABLED_DEVICES_KEY, ENABLED_DEVICES_KEY } from '../shared/contracts/device-list.ts';
import type { Redis } from '../shared/redis.ts';

const SADD_CHUNK = 1_000;

/** One row for any number of devices, and no sorting: most of the time the list is what it was. */
const DIGEST = `
  select count(*) || '/' || coalesce(sum(hashtextextended(unique_id, enabled::integer)), 0) as digest from devices`;

interface DeviceRow {
  readonly unique_id: string;
  readonly enabled: boolean;
}

async function digestOf(pool: Pool): Promise<string> {
  const { rows } = await pool.query<{ digest: string }>(DIGEST);
  return rows[0]?.digest ?? '';
}

/** @returns whether the list had changed */
export async function publishDeviceList(pool: Pool, redis: Redis): Promise<boolean> {
  // Taken before the rows: a change in between makes it differ the next time.
  const digest = await digestOf(pool);
  if ((await redis.get(DEVICE_LIST_DIGEST_KEY)) === digest) return false;
  const rows = await rowsOf<DeviceRow>(pool, { text: 'select unique_id, enabled from devices' });
  const transaction = redis.multi().del(ENABLED_DEVICES_KEY, DISABLED_DEVICES_KEY);
  for (const enabled of [true, false]) {
    const ids = rows.filter((row) => row.enabled === enabled).map((row) => row.unique_id);
    const key = enabled ? ENABLED_DEVICES_KEY : DISABLED_DEVICES_KEY;
    for (let start = 0; start < ids.length; start += SADD_CHUNK) {
      transaction.sadd(key, ids.slice(start, start + SADD_CHUNK));
    }
  }
  const results = await transaction.set(DEVICE_LIST_DIGEST_KEY, digest).exec();
  for (const [error] of results ?? []) if (error !== null) throw error;
  return true;
}
