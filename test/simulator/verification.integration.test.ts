import type { Pool } from 'pg';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { loadSettings } from '../../src/config/load.ts';
import { createPool } from '../../src/db/pool.ts';
import { prepareDatabase } from '../../src/db/schema.ts';
import { FaultPlan } from '../../src/simulator/faults.ts';
import { Random } from '../../src/simulator/random.ts';
import { Statistics } from '../../src/simulator/statistics.ts';
import { StoredPositions } from '../../src/simulator/stored-positions.ts';
import { Tracker } from '../../src/simulator/tracker.ts';
import { createVehicle, vehicleRecord } from '../../src/simulator/vehicle.ts';
import type { VerificationOptions } from '../../src/simulator/verification.ts';
import { verifyFleet } from '../../src/simulator/verification.ts';
import type { Verification } from '../../src/simulator/comparison.ts';
import { createDatabase } from '../support/database.ts';
import { FakeServer } from './fake-server.ts';

const START = Date.UTC(2026, 5, 1, 12);
const IMEIS = ['356307042441013', '356307042441021'];
const RECORDS = 12;

let database: { url: string; drop(): Promise<void> };
let client: Pool;
let stored: StoredPositions;

beforeAll(async () => {
  database = await createDatabase();
  const settings = loadSettings({ POSITIONS_RETENTION_DAYS: '0' });
  client = createPool(settings, database.url, 'test', () => undefined);
  await prepareDatabase(client, settings, { info: () => undefined, warn: () => undefined });
  // The schema makes it impossible to store a record twice: what would happen without is to be found as well.
  await client.query('alter table positions drop constraint positions_key');
  stored = new StoredPositions(database.url, () => undefined);
});

afterAll(async () => {
  await stored.close();
  await client.end();
  await database.drop();
});

let trackers: Tracker[];

beforeEach(async () => {
  trackers = IMEIS.map(acknowledgedTracker);
  for (const imei of IMEIS) {
    await client.query('insert into devices (unique_id) values ($1)', [imei]);
    for (let second = 0; second < RECORDS; second += 1) await insert(imei, START + second * 1_000);
  }
});

afterEach(async () => {
  await client.query('truncate devices, positions cascade');
});

/** A tracker all of whose records, a second apart, were acknowledged. */
function acknowledgedTracker(imei: string): Tracker {
  const server = new FakeServer();
  const tracker = new Tracker({
    vehicle: createVehicle(imei),
    settings: {
      codec: '8', recordsPerFrame: 1, order: 'oldest', answerTimeoutMs: 1_000, reconnectMs: 0, keepAcknowledged: true,
    },
    connect: server.connect, faults: new FaultPlan(1, [], 0), random: new Random(1), statistics: new Statistics(),
    clock: () => 0,
  });
  tracker.switchOn([]);
  server.last.events.accepted();
  for (let second = 0; second < RECORDS; second += 1) {
    tracker.record(START + second * 1_000);
    server.last.events.acknowledged(1);
  }
  return tracker;
}

async function insert(
  imei: string, ts: number, change: { latitude?: number; receivedAt?: number } = {},
): Promise<void> {
  const record = vehicleRecord(createVehicle(imei), ts, 0);
  await client.query(
    `insert into positions (device_id, ts, event_id, received_at, latitude, longitude, speed, valid)
     select id, $2, 0, $3, $4, $5, $6, true from devices where unique_id = $1`,
    [
      imei, new Date(ts).toISOString(), new Date(change.receivedAt ?? START + 60_000).toISOString(),
      change.latitude ?? record.latitude, record.longitude, record.speed,
    ],
  );
}

/** Of every tracker. */
async function remove(second: number): Promise<void> {
  const at = new Date(START + second * 1_000).toISOString();
  expect((await client.query('delete from positions where ts = $1', [at])).rowCount).toBe(IMEIS.length);
}

function verify(options: Partial<VerificationOptions> = {}): Promise<Verification> {
  return verifyFleet(trackers, START, {
    timeoutMs: 0, read: (compare) => compare(stored), onRound: () => undefined, ...options,
  });
}

describe('verifyFleet', () => {
  it('finds nothing where every record is stored once', async () => {
    expect(await verify()).toEqual({
      compared: 2 * RECORDS, lost: 0, altered: 0, duplicated: 0, neverSent: 0, unacknowledgedStored: 0, examples: [],
    });
  });

  it('finds a lost record of each tracker', async () => {
    await remove(5);
    const result = await verify();
    expect(result).toMatchObject({ compared: 2 * RECORDS, lost: 2, duplicated: 0 });
    expect(result.examples).toContain('356307042441013 at 2026-06-01T12:00:05.000Z event 0: acknowledged and not stored');
  });

  it('finds the first and the last record lost', async () => {
    await remove(0);
    await remove(RECORDS - 1);
    expect(await verify()).toMatchObject({ lost: 4 });
  });

  it('finds everything lost of a tracker that is not stored at all', async () => {
    await client.query('delete from devices where unique_id = $1', [IMEIS[1]]);
    expect(await verify()).toMatchObject({ lost: RECORDS, duplicated: 0 });
  });

  it('finds a record stored twice', async () => {
    await insert(IMEIS[0]!, START + 3_000);
    expect(await verify()).toMatchObject({ lost: 0, duplicated: 1, neverSent: 0 });
  });

  it('finds a row that was never sent, unless an earlier run has left it', async () => {
    await insert(IMEIS[0]!, START + 3_500);
    await insert(IMEIS[0]!, START + 4_500, { receivedAt: START - 1 });
    expect(await verify()).toMatchObject({ lost: 0, duplicated: 1, neverSent: 1 });
  });

  it('finds a record stored at another place', async () => {
    await remove(7);
    for (const imei of IMEIS) await insert(imei, START + 7_000, { latitude: 51 });
    expect(await verify()).toMatchObject({ lost: 2, altered: 2 });
  });

  it('waits for records that come late', async () => {
    await remove(5);
    const states: string[] = [];
    const result = await verify({
      timeoutMs: 20_000,
      onRound: (state) => {
        void insert(IMEIS[states.push(state) - 1]!, START + 5_000);
      },
    });
    expect(states).toEqual(['2 records not in the database yet', '1 records not in the database yet']);
    expect(result).toMatchObject({ compared: 2 * RECORDS, lost: 0, duplicated: 0 });
  });

  it('waits for a database that is away', async () => {
    const states: string[] = [];
    const gone = new StoredPositions('postgres://127.0.0.1:1/none', () => undefined);
    const result = await verify({
      timeoutMs: 20_000,
      read: (compare) => compare(states.length === 0 ? gone : stored),
      onRound: (state) => states.push(state),
    });
    await gone.close();
    expect(states).toEqual(['connect ECONNREFUSED 127.0.0.1:1']);
    expect(result).toMatchObject({ compared: 2 * RECORDS, lost: 0 });
  });

  it('throws when the database stays away', async () => {
    const gone = new StoredPositions('postgres://127.0.0.1:1/none', () => undefined);
    await expect(verify({ read: (compare) => compare(gone) })).rejects.toThrow('ECONNREFUSED');
    await gone.close();
  });

  it('throws where there is no schema', async () => {
    const empty = await createDatabase();
    const other = new StoredPositions(empty.url, () => undefined);
    await expect(other.check()).rejects.toThrow('does not exist');
    await other.close();
    await empty.drop();
  });
});
