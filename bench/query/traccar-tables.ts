/**
 * Traccar's tables beside ours, with the same positions: columns and indexes as Traccar 6 makes them without
 * TimescaleDB (`schema/changelog-4.0-clean.xml` and what follows), attributes as text, rows in the order in which they
 * came in.
 */
import type { Client } from 'pg';
import { withClient } from '../support/database.ts';
import type { HistoryRange } from '../storage/history.ts';

/** A copy takes 600 bytes a row. */
const MOST_ROWS = 2_000_000;

const TABLES = `
  create table tc_devices (id serial primary key, uniqueid varchar(128) not null unique, name varchar(128), positionid bigint);
  create table tc_positions (
    id serial primary key, protocol varchar(128), deviceid integer not null, servertime timestamp not null,
    devicetime timestamp not null, fixtime timestamp not null, valid boolean not null, latitude double precision not null,
    longitude double precision not null, altitude double precision not null, speed double precision not null,
    course double precision not null, address varchar(512), attributes varchar(4000), accuracy double precision not null,
    network varchar(4000), geofenceids varchar(128))`;

const POSITIONS = `
  insert into tc_positions (protocol, deviceid, servertime, devicetime, fixtime, valid, latitude, longitude, altitude,
    speed, course, attributes, accuracy)
  select 'teltonika', device_id, received_at at time zone 'UTC', ts at time zone 'UTC', ts at time zone 'UTC', valid,
    latitude, longitude, altitude, speed / 1.852, course, attributes::text, 0
  from positions where device_id <= $1 and ts < $2 order by ts, device_id`;

const DEVICES = `
  insert into tc_devices (id, uniqueid, positionid)
  select id, unique_id, (select p.id from tc_positions p where p.deviceid = d.id order by p.fixtime desc limit 1)
  from devices d where id <= $1`;

/** The devices whose positions were not copied: each with its newest one, for who asks where all of them are. */
const OTHER_DEVICES = `
  with others as (
    insert into tc_positions (protocol, deviceid, servertime, devicetime, fixtime, valid, latitude, longitude, altitude,
      speed, course, attributes, accuracy)
    select 'teltonika', device_id, received_at at time zone 'UTC', ts at time zone 'UTC', ts at time zone 'UTC', valid,
      latitude, longitude, altitude, speed / 1.852, course, attributes::text, 0
    from device_state where device_id not in (select id from tc_devices)
    returning id, deviceid)
  insert into tc_devices (id, uniqueid, positionid)
  select d.id, d.unique_id, o.id from others o join devices d on d.id = o.deviceid`;

/** How many devices fit into a copy. */
export function copiedDevices(devices: number, rows: number): number {
  return Math.max(1, Math.min(devices, Math.floor(MOST_ROWS / (rows / devices))));
}

async function copy(client: Client, devices: number, { to }: HistoryRange): Promise<void> {
  await client.query('begin');
  await client.query(TABLES);
  await client.query(POSITIONS, [devices, new Date(to).toISOString()]);
  await client.query('create index position_deviceid_fixtime on tc_positions (deviceid, fixtime)');
  await client.query(DEVICES, [devices]);
  await client.query('commit');
  await client.query('vacuum (analyze) tc_positions');
  await client.query('vacuum (analyze) tc_devices');
}

/** Copies the first so many devices, with all their time, unless a run before has; the others as they are now. */
export async function copyToTraccarTables(
  url: string, devices: number, range: HistoryRange, say: (line: string) => void,
): Promise<void> {
  await withClient(url, async (client) => {
    const { rows: [found] } = await client.query<{ there: boolean }>('select to_regclass(\'tc_positions\') is not null as there');
    if (found?.there !== true) {
      say(`  Traccar's tables, ${devices.toLocaleString('en')} devices: filling`);
      await copy(client, devices, range);
    }
    await client.query(OTHER_DEVICES);
    await client.query('analyze tc_positions, tc_devices');
  });
}
