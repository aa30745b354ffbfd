/** Devices and groups in the database, as an operator makes them, and states as the processor leaves them. */
import type { Pool } from 'pg';
import { value } from '../core/support.ts';

export async function addDevices(pool: Pool, ...uniqueIds: readonly string[]): Promise<void> {
  await pool.query('insert into devices (unique_id) select unnest($1::text[])', [uniqueIds]);
}

export interface StateFields {
  readonly ts: number;
  readonly eventId?: number;
  readonly latitude?: number | null;
  readonly longitude?: number | null;
  /** Time of the place; by default that of the record. null: none. */
  readonly fixTs?: number | null;
  readonly attributes?: string;
}

export async function setState(pool: Pool, uniqueId: string, fields: StateFields): Promise<void> {
  const { ts, eventId = 0, latitude = 50, longitude = 10, fixTs = ts, attributes = '{}' } = fields;
  await pool.query(
    `insert into device_state (device_id, ts, event_id, received_at, valid, priority, attributes, fix_ts, fix_event_id, latitude, longitude, speed, records)
     select id, to_timestamp($2 / 1000.0), $3, to_timestamp($2 / 1000.0), true, 0, $4::jsonb, to_timestamp($5 / 1000.0), 0, $6, $7, 7.5, 1
     from devices where unique_id = $1
     on conflict (device_id) do update set ts = excluded.ts, event_id = excluded.event_id, fix_ts = excluded.fix_ts,
       latitude = excluded.latitude, longitude = excluded.longitude, attributes = excluded.attributes`,
    [uniqueId, ts, eventId, attributes, fixTs, latitude, longitude]);
}

export async function addGroup(pool: Pool, name: string, ...uniqueIds: readonly string[]): Promise<string> {
  const id = String(await value(pool, 'insert into groups (name) values ($1) returning id', [name]));
  if (uniqueIds.length > 0) await join(pool, id, ...uniqueIds);
  return id;
}

/** Makes the devices members from now on. */
export async function join(pool: Pool, groupId: string, ...uniqueIds: readonly string[]): Promise<void> {
  await pool.query('insert into group_devices (group_id, device_id) select $1, id from devices where unique_id = any($2)', [groupId, uniqueIds]);
}

export async function leave(pool: Pool, groupId: string, uniqueId: string): Promise<void> {
  await pool.query(
    'delete from group_devices where group_id = $1 and device_id = (select id from devices where unique_id = $2)', [groupId, uniqueId]);
}
