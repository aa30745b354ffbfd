/** What the live server reads from the database. Errors: those of PostgreSQL. */
import type { Pool } from 'pg';
import { rowsOf } from '../../db/rows.ts';
import type { LivePosition } from '../messages/position-json.ts';

/** The newest state of a registered device. */
export interface DeviceState {
  readonly deviceId: string;
  /** null: it has sent no record yet. */
  readonly newest: LivePosition | null;
  /** A record with the coordinates of the device's last known place; null: it never had any. */
  readonly place: LivePosition | null;
}

/** A row of `devices` with its `device_state`. Times are epoch milliseconds; what follows the place is of `fix_ts`. */
interface StateRow {
  readonly unique_id: string;
  readonly ts: number | null;
  readonly event_id: number;
  readonly received_at: number;
  readonly valid: boolean;
  readonly priority: number;
  readonly attributes: string;
  readonly fix_ts: number | null;
  readonly fix_event_id: number;
  readonly latitude: number | null;
  readonly longitude: number | null;
  readonly altitude: number | null;
  readonly course: number | null;
  readonly speed: number | null;
  readonly hdop: number | null;
  readonly satellites: number | null;
}

/** The attributes stay text: parsing and writing them again could change a number. */
const STATES = `
  select d.unique_id, s.ts, s.event_id, s.received_at, s.valid, s.priority, s.attributes::text as attributes,
    s.fix_ts, s.fix_event_id, s.latitude, s.longitude, s.altitude, s.course, s.speed, s.hdop, s.satellites
  from devices d left join device_state s on s.device_id = d.id`;

const NOWHERE = {
  latitude: null, longitude: null, altitude: null, course: null, speed: null, hdop: null, satellites: null,
} as const;

function stateOf(row: StateRow): DeviceState {
  const { unique_id: deviceId, ts, event_id: eventId, received_at: receivedAt, valid, priority, attributes } = row;
  if (ts === null) return { deviceId, newest: null, place: null };
  const { fix_ts: fixTs, latitude, longitude, altitude, course, speed, hdop, satellites } = row;
  const base = { deviceId, receivedAt, valid, priority, attributes };
  const where = { latitude, longitude, altitude, course, speed, hdop, satellites };
  const place = fixTs === null ? null : { ...base, ts: fixTs, eventId: row.fix_event_id, ...where };
  const isNewestPlace = place !== null && place.ts === ts && place.eventId === eventId;
  return { deviceId, newest: isNewestPlace ? place : { ...base, ts, eventId, ...NOWHERE }, place };
}

/** The states of those of the devices that are registered, or of all; one query, however many. */
export async function readStates(pool: Pool, deviceIds: readonly string[] | 'all'): Promise<DeviceState[]> {
  const query = deviceIds === 'all'
    ? { name: 'live-all-states', text: STATES }
    : { name: 'live-states', text: `${STATES} where d.unique_id = any($1)`, values: [deviceIds] };
  return (await rowsOf<StateRow>(pool, query)).map(stateOf);
}

/** A time during which a device belongs to a group; epoch milliseconds, `to` is the first instant after it. */
export interface Membership {
  readonly groupId: string;
  readonly deviceId: string;
  readonly from: number;
  readonly to: number;
}

export interface GroupMembers {
  /** Those of the groups asked about that there are. */
  readonly groupIds: ReadonlySet<string>;
  readonly memberships: readonly Membership[];
}

/** Memberships that are over are left out: they do not come back. */
const MEMBERSHIPS = `
  select g.id::text as group_id, d.unique_id, m.valid_from, m.valid_to
  from groups g
  left join group_devices m on m.group_id = g.id and (m.valid_to is null or m.valid_to > now())
  left join devices d on d.id = m.device_id
  where g.id = any($1::uuid[])`;

interface MembershipRow {
  readonly group_id: string;
  readonly unique_id: string | null;
  readonly valid_from: number;
  readonly valid_to: number | null;
}

/** The members of groups, now and in time to come. */
export async function readMembers(pool: Pool, groupIds: readonly string[]): Promise<GroupMembers> {
  const rows = await rowsOf<MembershipRow>(pool, { name: 'live-members', text: MEMBERSHIPS, values: [groupIds] });
  return {
    groupIds: new Set(rows.map((row) => row.group_id)),
    memberships: rows.flatMap(({ group_id: groupId, unique_id: deviceId, valid_from: from, valid_to: to }) =>
      (deviceId === null ? [] : [{ groupId, deviceId, from, to: to ?? Infinity }])),
  };
}

export const GROUP_CHANGES = 'odograph_groups';
