/**
 * Four fleets send the same 24 hours over TCP, each in an order of its own and with frames that come twice. What they
 * end in is the same to the last column; only when ingest read what may differ, and even that agrees with the history.
 */
import type { Pool } from 'pg';
import { describe, expect, test } from 'vitest';
import type { AvlRecord } from '../../src/protocols/teltonika/encode.ts';
import { encodeAvlFrame } from '../../src/protocols/teltonika/encode.ts';
import { Random } from '../../src/simulator/random.ts';
import { startIngest } from '../ingest/support.ts';
import { loggedIn } from '../ingest/tracker.ts';
import { avlRecord } from '../protocols/teltonika/frames.ts';
import { STORAGES, STREAMS, allStored, openSite, startCore } from './support.ts';

const HOURS = 24;
const INTERVAL_MS = 120_000;
const END = Date.UTC(2026, 10, 20, 12);
const START = END - HOURS * 3_600_000;
const FRAME_RECORDS = 12;
const DEVICES = 3;
const NO_FIX = { longitude: 0, latitude: 0, altitude: 0, angle: 0, satellites: 0, speed: 0 };

/** A day of one tracker: a record every two minutes, events at the instant of some, and hours without a fix. */
function dayOf(device: number): AvlRecord[] {
  const records: AvlRecord[] = [];
  for (let ts = START, n = 0; ts < END; ts += INTERVAL_MS, n += 1) {
    const odometer = [16, 4, n * 100 + device] as const;
    const place = n % 100 >= 90 ? NO_FIX : { longitude: 25 + n / 1_000, latitude: 54 + device, speed: n % 90 };
    records.push(avlRecord([[239, 1, n % 2], odometer], { ts, ...place }));
    if (n % 5 === 0) records.push(avlRecord([[239, 1, 1], odometer], { ts, ...place, eventId: 239, priority: 1 }));
    if (n % 20 === 0) records.push(avlRecord([[247, 1, 1], odometer], { ts, ...place, eventId: 247, priority: 2 }));
  }
  // The newest has no fix, so that the last place and the newest record are not the same.
  const last = avlRecord([[239, 1, 0]], { ts: END, ...NO_FIX, eventId: 239 });
  return [...records, last];
}

type Frame = readonly AvlRecord[];

function inFrames(records: readonly AvlRecord[]): Frame[] {
  const count = Math.ceil(records.length / FRAME_RECORDS);
  return Array.from({ length: count }, (_, n) => records.slice(n * FRAME_RECORDS, (n + 1) * FRAME_RECORDS));
}

/** What is live is sent between what is stored. */
function withLiveBetween(records: readonly AvlRecord[]): Frame[] {
  const stored = inFrames(records.slice(0, -60));
  const live = inFrames(records.slice(-60));
  const every = Math.floor(stored.length / live.length);
  return stored.flatMap((frame, n) => (n % every === 0 ? [frame, live[n / every] ?? []] : [frame]))
    .filter(({ length }) => length > 0);
}

/** Some frames again at once, as after a lost answer, and some records in the frames of a later connection. */
function withResent(frames: readonly Frame[]): Frame[] {
  const again = frames.flatMap((frame, n) => (n % 7 === 3 ? [frame, frame] : [frame]));
  return [...again, ...inFrames(frames.slice(2, 9).flat().slice(5))];
}

function shuffled(records: readonly AvlRecord[]): AvlRecord[] {
  const order = records.map((_, index) => index);
  new Random(7).shuffle(order);
  return order.flatMap((index) => records[index] ?? []);
}

const ORDERS: Readonly<Record<string, (records: readonly AvlRecord[]) => Frame[]>> = {
  'in order': inFrames,
  'oldest first, live ones between': withLiveBetween,
  'newest first': (records) => inFrames(records.toReversed()),
  shuffled: (records) => inFrames(shuffled(records)),
};
const FLEETS = Object.entries(ORDERS);

function imei(fleet: number, device: number): string {
  return `35630704${fleet}00000${device}`;
}

async function send(port: number, tracker: string, frames: readonly Frame[]): Promise<void> {
  const connection = await loggedIn(port, tracker);
  for (const frame of frames) connection.send(encodeAvlFrame(frame, '8'));
  for (const frame of frames) expect(await connection.acknowledgement()).toBe(frame.length);
  connection.socket.destroy();
}

/** Rows by device, without what says when they came: ids are given in that order, `received_at` is the clock's. */
async function rowsOf(pool: Pool, table: 'positions' | 'device_state', fleet: number): Promise<unknown[][]> {
  const devices = Array.from({ length: DEVICES }, (_, device) => imei(fleet, device));
  return Promise.all(devices.map(async (device) => {
    const { rows } = await pool.query<{ row: unknown }>(
      `select to_jsonb(t) - '{device_id,received_at,last_received_at}'::text[] as row
       from ${table} t join devices d on d.id = t.device_id where unique_id = $1 order by t.ts, t.event_id`, [device]);
    return rows.map(({ row }) => row);
  }));
}

/** The state as the history has it. */
const FROM_HISTORY = `
  select count(*) filter (where
    s.ts = n.ts and s.event_id = n.event_id and s.received_at = n.received_at and s.attributes = n.attributes
    and s.valid = n.valid and s.priority = n.priority
    and (s.fix_ts, s.fix_event_id, s.latitude, s.longitude, s.altitude, s.course, s.speed, s.satellites)
      is not distinct from (f.ts, f.event_id, f.latitude, f.longitude, f.altitude, f.course, f.speed, f.satellites)
    and (s.records, s.first_ts, s.last_received_at) = (h.records, h.first_ts, h.last_received_at))::integer as agree
  from device_state s,
    lateral (select * from positions p where p.device_id = s.device_id order by ts desc, event_id desc limit 1) n,
    lateral (select * from positions p where p.device_id = s.device_id and latitude is not null
      order by ts desc, event_id desc limit 1) f,
    lateral (select count(*) as records, min(ts) as first_ts, max(received_at) as last_received_at
      from positions p where p.device_id = s.device_id) h`;

describe.each(STORAGES)('24 hours into %s', (storage) => {
  test.each([1, 2])('in order, oldest first, newest first and shuffled end the same, with processors: %i', async (cores) => {
    const site = await openSite();
    const ingest = await startIngest(site.redisUrl, { STREAM_PARTITIONS: String(STREAMS.length) });
    const settings = {
      POSITIONS_STORAGE: storage, PROCESSOR_BATCH_RECORDS: '100', PROCESSOR_READ_COUNT: '5', PROCESSOR_WRITERS: '2',
    };
    const instances = Array.from({ length: cores }, (_, n) => ({ ...settings, INSTANCE_ID: `core ${n}` }));
    await Promise.all(instances.map((instance) => startCore(site, instance)));
    const days = Array.from({ length: DEVICES }, (_, device) => dayOf(device));

    await Promise.all(FLEETS.flatMap(([, order], fleet) =>
      days.map((day, device) => send(ingest.port(), imei(fleet, device), withResent(order(day))))));
    await allStored(site, FLEETS.length * days.flat().length);

    const [history, state] = [await rowsOf(site.pool, 'positions', 0), await rowsOf(site.pool, 'device_state', 0)];
    expect(history.map(({ length }) => length)).toEqual(days.map(({ length }) => length));
    expect(state.flat()).toHaveLength(DEVICES);
    for (const [fleet, [order]] of FLEETS.entries()) {
      expect(await rowsOf(site.pool, 'positions', fleet), order).toEqual(history);
      expect(await rowsOf(site.pool, 'device_state', fleet), order).toEqual(state);
    }
    const { rows } = await site.pool.query<{ agree: number }>(FROM_HISTORY);
    expect(rows).toEqual([{ agree: FLEETS.length * DEVICES }]);
  });
});
