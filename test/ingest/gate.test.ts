import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type { EndReason } from '../../src/ingest/events.ts';
import type { GatedConnection } from '../../src/ingest/gate.ts';
import { Gate } from '../../src/ingest/gate.ts';

let gate: Gate;

beforeEach(() => {
  vi.useFakeTimers();
  gate = new Gate({ INGEST_MAX_CONNECTIONS: 5, INGEST_MAX_CONNECTIONS_PER_ADDRESS: 2 });
});

afterEach(() => {
  gate.stop();
  expect(vi.getTimerCount()).toBe(0);
  vi.useRealTimers();
});

class Connection implements GatedConnection {
  readonly address: string;
  deviceId: string | null = null;
  readonly closedFor: EndReason[] = [];
  sweeps = 0;
  adjustments = 0;

  constructor(address = '192.0.2.1') {
    this.address = address;
    gate.add(this);
  }

  logIn(deviceId: string): this {
    this.deviceId = deviceId;
    gate.claim(deviceId, this);
    return this;
  }

  close(reason: EndReason): void {
    this.closedFor.push(reason);
  }

  checkTimeouts(): void {
    this.sweeps += 1;
  }

  adjustFlow(): void {
    this.adjustments += 1;
  }
}

describe('limits', () => {
  it('an address is full at its limit, and has room again after one is gone', () => {
    const first = new Connection();
    expect(gate.refusalOf('192.0.2.1')).toBeNull();
    new Connection();
    expect(gate.refusalOf('192.0.2.1')).toContain('INGEST_MAX_CONNECTIONS_PER_ADDRESS');
    expect(gate.refusalOf('192.0.2.2')).toBeNull();
    gate.remove(first);
    expect(gate.refusalOf('192.0.2.1')).toBeNull();
  });

  it('all together are full at their limit', () => {
    const connections = [1, 2, 3, 4, 5].map((host) => new Connection(`192.0.2.${host}`));
    expect(gate.refusalOf('192.0.2.99')).toMatch(/INGEST_MAX_CONNECTIONS allows/);
    gate.remove(connections[0]!);
    expect(gate.refusalOf('192.0.2.99')).toBeNull();
  });

  it('a connection that is removed twice is counted once', () => {
    const [first] = [new Connection(), new Connection()];
    gate.remove(first);
    gate.remove(first);
    new Connection();
    expect(gate.refusalOf('192.0.2.1')).not.toBeNull();
  });
});

describe('devices', () => {
  it('the newer connection of a device wins', () => {
    const older = new Connection().logIn('A');
    const newer = new Connection().logIn('A');
    expect(older.closedFor).toEqual(['superseded']);
    expect(newer.closedFor).toEqual([]);
  });

  it('the same connection may claim its device again', () => {
    const connection = new Connection().logIn('A').logIn('A');
    expect(connection.closedFor).toEqual([]);
  });

  it('the end of a superseded connection leaves the newer in place', () => {
    const older = new Connection().logIn('A');
    const newer = new Connection().logIn('A');
    gate.remove(older);
    new Connection('192.0.2.2').logIn('A');
    expect(newer.closedFor).toEqual(['superseded']);
  });

  it('a device whose connection is gone is nobody’s', () => {
    const gone = new Connection().logIn('A');
    gate.remove(gone);
    new Connection().logIn('A');
    expect(gone.closedFor).toEqual([]);
  });

  it('those that the policy refuses are closed for its reason', () => {
    const [allowed, disabled, anonymous] = [new Connection().logIn('A'), new Connection().logIn('B'), new Connection('192.0.2.2')];
    gate.closeRefused({ refusalOf: (deviceId) => (deviceId === 'B' ? 'device_disabled' : null) });
    expect([allowed, disabled, anonymous].map(({ closedFor }) => closedFor)).toEqual([[], ['device_disabled'], []]);
  });
});

it('looks after the time limits of all connections four times a second', () => {
  const connection = new Connection();
  vi.advanceTimersByTime(1_000);
  expect(connection.sweeps).toBe(4);
  gate.remove(connection);
  vi.advanceTimersByTime(1_000);
  expect(connection.sweeps).toBe(4);
});

it('lets every connection adjust to the stream', () => {
  const connections = [new Connection(), new Connection()];
  gate.adjustFlow();
  expect(connections.map(({ adjustments }) => adjustments)).toEqual([1, 1]);
});

describe('closeAll', () => {
  it('closes all and resolves when the last is gone', async () => {
    vi.useRealTimers();
    const connections = [new Connection(), new Connection().logIn('A')];
    const closed = gate.closeAll('shutdown', new AbortController().signal);
    expect(connections.map(({ closedFor }) => closedFor)).toEqual([['shutdown'], ['shutdown']]);
    for (const connection of connections) gate.remove(connection);
    await closed;
    vi.useFakeTimers();
  });

  it('resolves at its deadline', async () => {
    vi.useRealTimers();
    new Connection();
    await gate.closeAll('shutdown', AbortSignal.timeout(30));
    vi.useFakeTimers();
  });
});
