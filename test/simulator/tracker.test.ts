import { beforeEach, describe, expect, it } from 'vitest';
import { FAULT_KINDS, FaultPlan } from '../../src/simulator/faults.ts';
import type { FaultKind } from '../../src/simulator/faults.ts';
import { Random } from '../../src/simulator/random.ts';
import { Statistics } from '../../src/simulator/statistics.ts';
import type { TrackerSettings } from '../../src/simulator/tracker.ts';
import { Tracker } from '../../src/simulator/tracker.ts';
import { createVehicle } from '../../src/simulator/vehicle.ts';
import type { FakeConnection } from './fake-server.ts';
import { FakeServer, keysOf, recordsOf } from './fake-server.ts';

const START = Date.UTC(2026, 5, 1, 12);
const SECOND = 1_000;
const vehicle = createVehicle('356307042441013');

let server: FakeServer;
let statistics: Statistics;
let now: number;
let made: number;

beforeEach(() => {
  server = new FakeServer();
  statistics = new Statistics();
  now = 0;
  made = 0;
});

function createTracker(settings: Partial<TrackerSettings> = {}, kinds: readonly FaultKind[] = []): Tracker {
  return new Tracker({
    vehicle,
    settings: {
      codec: '8E', recordsPerFrame: 2, order: 'oldest', answerTimeoutMs: 30_000, reconnectMs: 0, keepAcknowledged: true,
      ...settings,
    },
    connect: server.connect,
    faults: new FaultPlan(1, kinds, 1),
    random: new Random(1),
    statistics,
    clock: () => now,
  });
}

/** Makes records a second apart. */
function record(tracker: Tracker, count: number): void {
  for (let left = count; left > 0; left -= 1) {
    tracker.record(START + made * SECOND);
    made += 1;
  }
}

/** Lets time pass until the tracker has connected again. */
function reconnect(tracker: Tracker): void {
  const before = server.connections.length;
  for (let steps = 0; steps < 1_000 && server.connections.length === before; steps += 1) {
    now += 100;
    tracker.tick(now);
  }
  server.last.events.accepted();
}

function acknowledgedTimes(tracker: Tracker): number {
  return tracker.queue.acknowledgedKeys().length;
}

describe('a tracker', () => {
  it('sends nothing before its login is accepted', () => {
    const tracker = createTracker();
    tracker.switchOn([]);
    record(tracker, 4);
    expect(server.last.writes).toEqual([]);
    server.last.events.accepted();
    expect(server.last.writes).toHaveLength(1);
    expect(statistics).toMatchObject({ logins: 1, connected: 1, framesSent: 1 });
  });

  it('sends full frames, one at a time', () => {
    const tracker = createTracker();
    tracker.switchOn([]);
    server.last.events.accepted();
    record(tracker, 1);
    expect(server.last.writes).toHaveLength(0);
    record(tracker, 4);
    expect(server.last.writes).toHaveLength(1);
    expect(recordsOf(server.last.writes[0]!)).toHaveLength(2);
    server.last.events.acknowledged(2);
    expect(server.last.writes).toHaveLength(2);
    server.last.events.acknowledged(2);
    expect(server.last.writes).toHaveLength(2);
    expect(tracker.queue.waiting).toBe(1);
  });

  it('sends what is left without waiting for a full frame when it drains', () => {
    const tracker = createTracker({ recordsPerFrame: 10 });
    tracker.switchOn([]);
    server.last.events.accepted();
    record(tracker, 3);
    tracker.drain();
    expect(keysOf(server.last.writes[0]!)).toHaveLength(3);
  });

  it('keeps what was not acknowledged over a lost connection and sends the same frame again', () => {
    const tracker = createTracker();
    tracker.switchOn([]);
    server.last.events.accepted();
    record(tracker, 3);
    const first = server.last;
    first.events.closed('ECONNRESET');
    expect(statistics.errors.closed).toBe(1);
    expect(statistics.lastError).toBe('ECONNRESET');
    expect(tracker.queue.unacknowledged).toBe(3);
    record(tracker, 2);
    reconnect(tracker);
    expect(server.last.writes[0]).toEqual(first.writes[0]);
    expect(statistics).toMatchObject({ framesResent: 1, recordsResent: 2, connected: 1 });
    expect(acknowledgedTimes(tracker)).toBe(0);
  });

  it('counts as acknowledged only what the answer counts, and sends the rest again', () => {
    const tracker = createTracker({ recordsPerFrame: 4 });
    tracker.switchOn([]);
    server.last.events.accepted();
    record(tracker, 4);
    server.last.events.acknowledged(1);
    expect(statistics.recordsAcknowledged).toBe(1);
    const [first, second] = server.last.writes.map(keysOf);
    expect(second).toEqual(first!.slice(1));
    server.last.events.acknowledged(3);
    expect(acknowledgedTimes(tracker)).toBe(4);
  });

  it.each([0, 3])('takes an answer of %d records to a frame of two for an error and keeps both', (answer) => {
    const tracker = createTracker();
    tracker.switchOn([]);
    server.last.events.accepted();
    record(tracker, 2);
    server.last.events.acknowledged(answer);
    expect(statistics.errors.protocol).toBe(1);
    expect(tracker.queue.unacknowledged).toBe(2);
    expect(server.last.ended).toBe('cut');
  });

  it('takes an answer that it does not wait for as an error', () => {
    const tracker = createTracker();
    tracker.switchOn([]);
    server.last.events.accepted();
    server.last.events.acknowledged(1);
    expect(statistics.errors.protocol).toBe(1);
  });

  it('gives up waiting for an answer after the time-out', () => {
    const tracker = createTracker({ answerTimeoutMs: 5_000 });
    tracker.switchOn([]);
    server.last.events.accepted();
    record(tracker, 2);
    now = 4_999;
    tracker.tick(now);
    expect(statistics.errors.timeout).toBe(0);
    now = 5_000;
    tracker.tick(now);
    expect(statistics.errors.timeout).toBe(1);
    expect(statistics.connected).toBe(0);
    reconnect(tracker);
    expect(recordsOf(server.last.writes[0]!)).toHaveLength(2);
  });

  it('pauses longer with every failure, until an acknowledgement comes', () => {
    const tracker = createTracker();
    tracker.switchOn([]);
    const pauses: number[] = [];
    for (let failure = 0; failure < 8; failure += 1) {
      server.last.events.closed('ECONNREFUSED');
      const since = now;
      const connections = server.connections.length;
      while (server.connections.length === connections) tracker.tick(now += 10);
      pauses.push(now - since);
    }
    expect(statistics.errors.unreachable).toBe(8);
    expect(pauses[0]).toBeLessThanOrEqual(760);
    expect(pauses[7]).toBeGreaterThanOrEqual(4_000);
    expect(Math.max(...pauses)).toBeLessThanOrEqual(12_010);
  });

  it('tries again when its login is refused', () => {
    const tracker = createTracker();
    tracker.switchOn([]);
    server.last.events.refused(0);
    expect(statistics.refusedLogins).toBe(1);
    expect(server.last.ended).toBe('cut');
    reconnect(tracker);
    expect(server.connections).toHaveLength(2);
  });

  it('connects anew about as often as asked, between frames', () => {
    const tracker = createTracker({ reconnectMs: 10_000 });
    tracker.switchOn([]);
    server.last.events.accepted();
    record(tracker, 2);
    now = 13_000;
    tracker.tick(now);
    expect(server.last.ended).toBeNull();
    server.last.events.acknowledged(2);
    expect(server.last.ended).toBe('cut');
    reconnect(tracker);
    expect(statistics).toMatchObject({ logins: 2, connected: 1, errorCount: 0 });
  });

  it('hears nothing from a connection that it has left', () => {
    const tracker = createTracker();
    tracker.switchOn([]);
    server.last.events.accepted();
    record(tracker, 2);
    const first = server.last;
    first.events.closed(null);
    reconnect(tracker);
    first.events.acknowledged(2);
    first.events.closed(null);
    expect(statistics.recordsAcknowledged).toBe(0);
    expect(statistics).toMatchObject({ connected: 1 });
  });

  it('measures from the frame to its acknowledgement', () => {
    const tracker = createTracker();
    tracker.switchOn([]);
    server.last.events.accepted();
    record(tracker, 2);
    now += 250;
    server.last.events.acknowledged(2);
    expect(statistics.latency.maxMs).toBe(250);
  });

  it('has no connection and no deadline after stop', () => {
    const tracker = createTracker();
    tracker.switchOn([]);
    server.last.events.accepted();
    tracker.stop();
    tracker.tick(1e9);
    expect(server.last.ended).toBe('drop');
    expect(server.connections).toHaveLength(1);
    expect(statistics.connected).toBe(0);
    expect(tracker.isOn).toBe(false);
  });
});

describe('a backlog', () => {
  const backlog = Array.from({ length: 6 }, (_, index) => START - (6 - index) * SECOND);
  const sentTimes = (): number[] => server.last.writes.flatMap((frame) => recordsOf(frame)!.map(({ ts }) => ts));

  function send(order: TrackerSettings['order']): number[] {
    const tracker = createTracker({ order, recordsPerFrame: 3 });
    tracker.switchOn(backlog);
    server.last.events.accepted();
    record(tracker, 3);
    for (let frame = 0; frame < 3; frame += 1) server.last.events.acknowledged(3);
    expect(tracker.queue.unacknowledged).toBe(0);
    return sentTimes();
  }

  it('goes out oldest first', () => {
    expect(send('oldest')).toEqual(sentTimes().toSorted((one, other) => one - other));
  });

  it('goes out newest first, new records before stored ones', () => {
    const times = send('newest');
    expect(times.slice(0, 3)).toEqual(backlog.slice(3).toReversed());
    expect(times.slice(3, 6)).toEqual([2, 1, 0].map((index) => START + index * SECOND));
  });

  it('goes out shuffled, complete', () => {
    const times = send('shuffled');
    expect(times.slice(0, 6)).not.toEqual(backlog);
    expect(times.slice(0, 6).toSorted((one, other) => one - other)).toEqual(backlog);
  });

  it('has the length asked for, events included', () => {
    const tracker = createTracker();
    tracker.switchOn(Array.from({ length: 20_000 }, (_, index) => START + (index - 20_000) * SECOND));
    expect(tracker.queue.unacknowledged).toBe(20_000);
    expect(statistics.recordsMade).toBe(20_000);
  });
});

describe('records', () => {
  it('have different times even where two fall into one millisecond', () => {
    const tracker = createTracker({ recordsPerFrame: 3 });
    tracker.switchOn([]);
    server.last.events.accepted();
    for (const time of [START, START + 0.4, START + 0.8]) tracker.record(time);
    expect(keysOf(server.last.writes[0]!)).toEqual([0, 1, 2].map((offset) => `${START + offset}/0`));
  });

  it('come with an event of the same instant when the ignition changes', () => {
    const tracker = createTracker({ recordsPerFrame: 1 });
    tracker.switchOn([]);
    server.last.events.accepted();
    for (let second = 0; second < 4 * 3_600; second += 1) {
      record(tracker, 1);
      while (tracker.queue.frame.length > 0) server.last.events.acknowledged(1);
    }
    const records = server.last.writes.flatMap((frame) => recordsOf(frame)!);
    const events = records.filter(({ eventId }) => eventId !== 0);
    expect(events.length).toBeGreaterThan(1);
    for (const event of events) {
      expect(event.priority).toBe(1);
      expect(records.filter(({ ts }) => ts === event.ts)).toHaveLength(2);
    }
  });
});

describe('a fault', () => {
  /** A tracker whose every frame meets this fault, with its first frame just sent. */
  function meet(kind: FaultKind): Tracker {
    const tracker = createTracker({}, [kind]);
    tracker.switchOn([]);
    server.last.events.accepted();
    record(tracker, 2);
    return tracker;
  }

  it('of the kind cut ends the connection in the middle of a frame, which does not count as sent', () => {
    meet('cut');
    expect(recordsOf(server.last.writes[0]!)).toBeNull();
    expect(server.last.ended).toBe('cut');
    expect(statistics).toMatchObject({ framesSent: 0, connected: 0, faults: { cut: 1 }, errorCount: 0 });
  });

  it('of the kind cut-after ends the connection after the frame, which is sent again', () => {
    const tracker = meet('cut-after');
    const first = server.last;
    expect(recordsOf(first.writes[0]!)).toHaveLength(2);
    expect(first.ended).toBe('cut');
    first.events.acknowledged(2);
    expect(statistics.recordsAcknowledged).toBe(0);
    reconnect(tracker);
    expect(server.last.writes[0]).toEqual(first.writes[0]);
    expect(statistics).toMatchObject({ framesResent: 1, faults: { 'cut-after': 2 } });
  });

  it('of the kind resend sends an acknowledged frame again, whose answer acknowledges nothing more', () => {
    const tracker = meet('resend');
    expect(statistics.faults.resend).toBe(0);
    server.last.events.acknowledged(2);
    record(tracker, 2);
    expect(server.last.writes[1]).toEqual(server.last.writes[0]);
    server.last.events.acknowledged(2);
    expect(statistics).toMatchObject({ recordsAcknowledged: 2, recordsResent: 2 });
    expect(acknowledgedTimes(tracker)).toBe(2);
  });

  it('of the kind duplicate-login logs in again with the frame on its way, and leaves the first connection open', () => {
    const tracker = meet('duplicate-login');
    const [first, second] = server.connections;
    expect(recordsOf(first!.writes[0]!)).toHaveLength(2);
    expect(first!.ended).toBeNull();
    expect(second!.imei).toBe(first!.imei);
    tracker.drain();
    second!.events.accepted();
    expect(second!.writes[0]).toEqual(first!.writes[0]);
    first!.events.acknowledged(2);
    expect(statistics.recordsAcknowledged).toBe(0);
    second!.events.acknowledged(2);
    expect(statistics).toMatchObject({ recordsAcknowledged: 2, connected: 1 });
    expect(first!.ended).toBe('drop');
  });

  it('of the kind garbage sends no frame and waits for the server to close', () => {
    const tracker = meet('garbage');
    expect(recordsOf(server.last.writes[0]!)).toBeNull();
    expect(server.last.ended).toBeNull();
    server.last.events.closed(null);
    expect(statistics).toMatchObject({ errorCount: 0, connected: 0, framesSent: 0 });
    tracker.drain();
    reconnect(tracker);
    expect(recordsOf(server.last.writes[0]!)).toHaveLength(2);
  });

  it('of the kind garbage ends the connection where the server does not', () => {
    const tracker = meet('garbage');
    now += 5_000;
    tracker.tick(now);
    expect(server.last.ended).toBe('cut');
  });

  it('of the kind slow sends the frame a byte at a time', () => {
    meet('slow');
    expect(server.last.slow).toBe(1);
    server.last.events.acknowledged(2);
    expect(statistics.recordsAcknowledged).toBe(2);
  });

  it.each(FAULT_KINDS)('of the kind %s does not happen any more when the tracker drains', (kind) => {
    const tracker = createTracker({}, [kind]);
    tracker.switchOn([]);
    tracker.drain();
    server.last.events.accepted();
    record(tracker, 2);
    server.last.events.acknowledged(1);
    server.last.events.acknowledged(1);
    expect(statistics.recordsAcknowledged).toBe(2);
    expect(statistics.faults[kind]).toBe(0);
  });
});

describe('acknowledged records', () => {
  it('are never sent again without a resend fault, whatever else happens', () => {
    const random = new Random(9);
    const kinds = FAULT_KINDS.filter((kind) => kind !== 'resend');
    const tracker = new Tracker({
      vehicle, connect: server.connect, statistics, random: new Random(2), clock: () => now,
      settings: {
        codec: '8', recordsPerFrame: 3, order: 'newest', answerTimeoutMs: 1_000, reconnectMs: 20_000,
        keepAcknowledged: true,
      },
      faults: new FaultPlan(3, kinds, 0.3),
    });
    const acknowledged = new Set<string>();
    const accepted = new Set<FakeConnection>();
    tracker.switchOn([]);
    for (let step = 0; step < 5_000; step += 1) {
      now += 200;
      record(tracker, 1);
      tracker.tick(now);
      const { last } = server;
      if (random.next() < 0.3 && !accepted.has(last)) {
        accepted.add(last);
        last.events.accepted();
      }
      const frame = last.writes.at(-1);
      const before = statistics.recordsAcknowledged;
      if (random.next() < 0.5 && frame !== undefined) last.events.acknowledged(1);
      if (statistics.recordsAcknowledged > before) acknowledged.add(keysOf(frame!)[0]!);
      const sent = server.last.writes.at(-1);
      if (sent === frame || sent === undefined) continue;
      expect(keysOf(sent).filter((key) => acknowledged.has(key))).toEqual([]);
    }
    expect(acknowledged.size).toBeGreaterThan(200);
    expect(acknowledged.size).toBe(acknowledgedTimes(tracker));
  });
});
