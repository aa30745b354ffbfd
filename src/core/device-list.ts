/** Publishes the table `devices` to Redis for ingest to decide by; replaced in one transaction, and only when it has changed. */
import { createHash } from 'node:crypto';
import type { Pool } from 'pg';
import { DEVICE_LIST_DIGEST_KEY, DISABLED_DEVICES_KEY, ENABLED_DEVICES_KEY } from '../shared/contracts/device-list.ts';
import type { Redis } from '../shared/redis.ts';

const SADD_CHUNK = 1_000;

interface DeviceRow {
  readonly unique_id: string;
  readonly enabled: boolean;
}

function digestOf(rows: readonly DeviceRow[]): string {
  const hash = createHash('sha256');
  for (const { unique_id: uniqueId, enabled } of rows) hash.update(`${enabled ? '+' : '-'}${uniqueId}\n`);
  return hash.digest('hex');
}

/** @returns whether the list had changed */
export async function publishDeviceList(pool: Pool, redis: Redis): Promise<boolean> {
  const { rows } = await pool.query<DeviceRow>('select unique_id, enabled from devices order by unique_id');
  const digest = digestOf(rows);
  if ((await redis.get(DEVICE_LIST_DIGEST_KEY)) === digest) return false;
  const transaction = redis.multi().del(ENABLED_DEVICES_KEY, DISABLED_DEVICES_KEY);
  for (const enabled of [true, false]) {
    const ids = rows.filter((row) => row.enabled === enabled).map((row) => row.unique_id);
    const key = enabled ? ENABLED_DEVICES_KEY : DISABLED_DEVICES_KEY;
    for (let start = 0; start < ids.length; start += SADD_CHUNK) transaction.sadd(key, ids.slice(start, start + SADD_CHUNK));
  }
  const results = await transaction.set(DEVICE_LIST_DIGEST_KEY, digest).exec();
  for (const [error] of results ?? []) if (error !== null) throw error;
  return true;
}
