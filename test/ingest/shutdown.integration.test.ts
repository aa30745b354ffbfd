/** Stopping finishes what was begun, within its deadline, and leaves nothing behind. */
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { startPrivateRedis } from '../support/redis.ts';
import type { PrivateServer } from '../support/private-server.ts';
import { eventually } from '../support/eventually.ts';
import { endServer, lookInto, prepareIngest, recordsOf, startIngest } from './support.ts';
import { connectTracker, dataFrame, loggedIn, newImei } from './tracker.ts';

const QUEUE = 'odograph_ingest_append_queue_bytes';
const DISCONNECTIONS = 'odograph_ingest_disconnections_total';
const BOTH = { INGEST_LISTENERS: 'teltonika:0,teltonika+udp:0' };

let server: PrivateServer;

beforeEach(async () => {
  server = await startPrivateRedis();
});

afterEach(async () => {
  await endServer(server);
});

/** Sockets, servers and timers of this process, by kind. */
function handles(): Record<string, number> {
  const counts: Record<string, number> = { TCPSocketWrap: 0, TCPServerWrap: 0, UDPWrap: 0, Timeout: 0 };
  for (const kind of process.getActiveResourcesInfo()) if (kind in counts) counts[kind]! += 1;
  return counts;
}

function ports(): number {
  const { TCPServerWrap, UDPWrap } = handles();
  return TCPServerWrap! + UDPWrap!;
}

describe('stop', () => {
  it('lets appends under way finish, acknowledges them, and takes nothing more', async () => {
    const ingest = await startIngest(server.url, { INGEST_APPEND_TIMEOUT_MS: '5000', SHUTDOWN_TIMEOUT_MS: '10000' });
    const imei = newImei();
    const tracker = await loggedIn(ingest.port(), imei);
    const port = ingest.port();
    await server.freeze();
    tracker.send(dataFrame(3), dataFrame(2));
    await eventually(async () => { expect(await ingest.metric(QUEUE)).toBeGreaterThan(0); });
    const stopped = ingest.stop();
    tracker.send(dataFrame(9));
    await expect(connectTracker(port)).rejects.toThrow('ECONNREFUSED');
    expect(ingest.isStarted).toBe(false);
    await server.thaw();
    expect([await tracker.acknowledgement(), await tracker.acknowledgement()]).toEqual([3, 2]);
    await tracker.closed();
    await stopped;
    expect(tracker.received).toHaveLength(9);
    expect(await recordsOf(lookInto(server.url), imei)).toHaveLength(5);
    expect(await ingest.metric(DISCONNECTIONS, { reason: 'shutdown' })).toBe(1);
  });

  it('ends within the deadline without acknowledging when Redis is frozen', async () => {
    const ingest = await startIngest(server.url, { INGEST_APPEND_TIMEOUT_MS: '60000', SHUTDOWN_TIMEOUT_MS: '1000' });
    const tracker = await loggedIn(ingest.port(), newImei());
    await server.freeze();
    tracker.send(dataFrame(3));
    await eventually(async () => { expect(await ingest.metric(QUEUE)).toBeGreaterThan(0); });
    const began = performance.now();
    await ingest.stop();
    expect(performance.now() - began).toBeLessThan(900);
    await tracker.closed();
    expect(tracker.received).toHaveLength(1);
    await server.thaw();
    // What arrives in Redis after all is a copy of what the tracker sends again.
    await eventually(async () => { expect(await ingest.metric('odograph_ingest_connections')).toBe(0); });
    expect(tracker.received).toHaveLength(1);
    expect(await ingest.metric('odograph_ingest_records_total')).toBe(0);
  });

  it('ends within the deadline with peers that do not close', async () => {
    const ingest = await startIngest(server.url, { SHUTDOWN_TIMEOUT_MS: '1000' });
    for (let count = 0; count < 5; count += 1) await connectTracker(ingest.port(), '127.0.0.1', { allowHalfOpen: true });
    await eventually(async () => { expect(await ingest.metric('odograph_ingest_connections')).toBe(5); });
    const began = performance.now();
    await ingest.stop();
    expect(performance.now() - began).toBeLessThan(900);
    await eventually(async () => { expect(await ingest.metric('odograph_ingest_connections')).toBe(0); });
  });

  it('may be called again, also at the same time', async () => {
    const ingest = await startIngest(server.url, BOTH);
    await loggedIn(ingest.port(), newImei());
    await Promise.all([ingest.stop(), ingest.stop()]);
    await ingest.stop();
  });

  it('leaves no socket, server or timer', async () => {
    const ingest = await startIngest(server.url, BOTH);
    const trackers = await Promise.all(Array.from({ length: 5 }, () => loggedIn(ingest.port(), newImei())));
    for (const tracker of trackers) tracker.send(dataFrame(2));
    for (const tracker of trackers) expect(await tracker.acknowledgement()).toBe(2);
    for (const { socket } of trackers) socket.destroy();
    await ingest.stop();
    ingest.redis.disconnect();
    const none = { TCPSocketWrap: 0, TCPServerWrap: 0, UDPWrap: 0, Timeout: 0 };
    await eventually(() => { expect(handles()).toEqual(none); });
  });
});

describe('stop during the start', () => {
  it('ends a start that waits for Redis', async () => {
    await server.kill();
    const ingest = prepareIngest(server.url, BOTH);
    const started = ingest.start();
    await ingest.stop();
    await started;
    expect(ingest.isStarted).toBe(false);
    expect(ingest.listeners).toEqual([]);
  });

  it.each([0, 1, 2, 3, 5, 8])('leaves no port open, %i turns of the event loop later', async (turns) => {
    const before = ports();
    const ingest = prepareIngest(server.url, BOTH);
    const started = ingest.start();
    for (let turn = 0; turn < turns; turn += 1) await new Promise(setImmediate);
    await ingest.stop();
    await started;
    expect(ingest.isStarted).toBe(false);
    ingest.redis.disconnect();
    await eventually(() => { expect(ports()).toBe(before); });
  });

  it('closes also the port that was being opened', async () => {
    const before = ports();
    // A name is looked up first, which takes its time.
    const ingest = prepareIngest(server.url, { ...BOTH, INGEST_HOST: 'localhost' });
    const started = ingest.start();
    while (ingest.listeners.length === 0) await new Promise(setImmediate);
    await Promise.all([ingest.stop(), started]);
    expect(ingest.listeners).toHaveLength(2);
    await eventually(() => { expect(ports()).toBe(before); });
  });

  it('a port that is taken fails the start, and stop closes those that were opened', async () => {
    const first = await startIngest(server.url);
    const before = ports();
    const second = prepareIngest(server.url, { INGEST_LISTENERS: `teltonika+udp:0,teltonika:${first.port()}` });
    await expect(second.start()).rejects.toThrow('EADDRINUSE');
    await second.stop();
    second.redis.disconnect();
    await eventually(() => { expect(ports()).toBe(before); });
  });
});
