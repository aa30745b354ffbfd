/** What an acknowledgement means under each INGEST_DURABILITY, and what is refused at the start. */
import { describe, expect, it } from 'vitest';
import { DurabilityError } from '../../src/ingest/durability.ts';
import { eventually } from '../support/eventually.ts';
import { endWithTest, lookInto, prepareIngest, recordsOf, redisPair, redisWith, startIngest } from './support.ts';
import { dataFrame, loggedIn, newImei } from './tracker.ts';

const FAILURES = 'odograph_ingest_append_failures_total';

async function hasWaitAof(url: string): Promise<boolean> {
  const [info] = (await lookInto(url).call('COMMAND', 'INFO', 'WAITAOF')) as unknown[];
  return info !== null && info !== undefined;
}

/** A frame gets its acknowledgement, and is in the stream then. */
async function acknowledges(url: string, durability: string): Promise<void> {
  const ingest = await startIngest(url, { INGEST_DURABILITY: durability });
  const imei = newImei();
  const tracker = await loggedIn(ingest.port(), imei);
  tracker.send(dataFrame(2));
  expect(await tracker.acknowledgement()).toBe(2);
  expect(await recordsOf(lookInto(url), imei)).toHaveLength(2);
}

describe('memory', () => {
  it('acknowledges without an append-only file', async () => {
    const { url } = await redisWith({ appendonly: 'no' });
    await acknowledges(url, 'memory');
  });
});

describe('fsync', () => {
  it('is refused without an append-only file', async () => {
    const { url } = await redisWith({ appendonly: 'no' });
    const start = startIngest(url, { INGEST_DURABILITY: 'fsync' });
    await expect(start).rejects.toThrow(DurabilityError);
    await expect(start).rejects.toThrow('INGEST_DURABILITY=fsync needs Redis with appendonly yes; it has no');
  });

  it('is given by appendfsync always', async () => {
    const { url } = await redisWith({ appendonly: 'yes', appendfsync: 'always' });
    await acknowledges(url, 'fsync');
  });

  it('with appendfsync everysec is given where Redis has WAITAOF, and refused where not', async () => {
    const { url } = await redisWith({ appendonly: 'yes', appendfsync: 'everysec' });
    if (await hasWaitAof(url)) await acknowledges(url, 'fsync');
    else {
      const start = startIngest(url, { INGEST_DURABILITY: 'fsync' });
      await expect(start).rejects.toThrow('needs Redis 7.2 (WAITAOF) or appendfsync always; it has appendfsync everysec');
    }
  });

  it('withholds acknowledgements from a Redis that came back without what was asked for', async () => {
    const server = await redisWith({ appendonly: 'yes', appendfsync: 'always' });
    const ingest = await startIngest(server.url, { INGEST_DURABILITY: 'fsync' });
    const tracker = await loggedIn(ingest.port(), newImei());
    const redis = lookInto(server.url);
    await redis.config('SET', 'appendonly', 'no');
    // A new connection is checked again.
    await redis.call('CLIENT', 'KILL', 'TYPE', 'normal', 'SKIPME', 'yes');
    tracker.send(dataFrame(2));
    await eventually(async () => { expect(await ingest.metric(FAILURES, { reason: 'durability' })).toBeGreaterThan(0); });
    expect(tracker.received).toHaveLength(1);
    await redis.config('SET', 'appendonly', 'yes');
    expect(await tracker.acknowledgement()).toBe(2);
  });
});

describe('replica', () => {
  it('acknowledges what a replica has', async () => {
    const { primary, replica } = await redisPair();
    const imei = newImei();
    const ingest = await startIngest(primary.url, { INGEST_DURABILITY: 'replica' });
    const tracker = await loggedIn(ingest.port(), imei);
    tracker.send(dataFrame(2));
    expect(await tracker.acknowledgement()).toBe(2);
    expect(await recordsOf(lookInto(replica.url), imei)).toHaveLength(2);
  });

  it('does not acknowledge while the replica hangs, and appends only once', async () => {
    const { primary, replica } = await redisPair();
    const imei = newImei();
    const ingest = await startIngest(primary.url, { INGEST_DURABILITY: 'replica' });
    const tracker = await loggedIn(ingest.port(), imei);
    await replica.freeze();
    tracker.send(dataFrame(2));
    await eventually(async () => { expect(await ingest.metric(FAILURES, { reason: 'durability' })).toBeGreaterThan(1); });
    expect(tracker.received).toHaveLength(1);
    await replica.thaw();
    expect(await tracker.acknowledgement()).toBe(2);
    expect(await recordsOf(lookInto(primary.url), imei)).toHaveLength(2);
  });

  it('does not acknowledge while the replica is stopped, and goes on when it is back', async () => {
    const { primary, replica } = await redisPair();
    const ingest = await startIngest(primary.url, { INGEST_DURABILITY: 'replica' });
    const tracker = await loggedIn(ingest.port(), newImei());
    await replica.stop();
    tracker.send(dataFrame(2));
    await eventually(async () => { expect(await ingest.metric(FAILURES, { reason: 'durability' })).toBeGreaterThan(1); });
    expect(tracker.received).toHaveLength(1);
    endWithTest(await replica.again());
    expect(await tracker.acknowledgement()).toBe(2);
  });

  it('does not acknowledge with fewer replicas than INGEST_REPLICAS', async () => {
    const { primary } = await redisPair();
    const ingest = await startIngest(primary.url, { INGEST_DURABILITY: 'replica', INGEST_REPLICAS: '2' });
    const tracker = await loggedIn(ingest.port(), newImei());
    tracker.send(dataFrame(2));
    await eventually(async () => { expect(await ingest.metric(FAILURES, { reason: 'durability' })).toBeGreaterThan(1); });
    expect(tracker.received).toHaveLength(1);
  });
});

describe('at every level', () => {
  it('a Redis that may evict records is refused', async () => {
    const { url } = await redisWith({ maxmemory: '64mb', 'maxmemory-policy': 'allkeys-lru' });
    await expect(startIngest(url)).rejects.toThrow('maxmemory-policy allkeys-lru, which evicts acknowledged records; set it to noeviction');
  });

  it('an eviction policy without a limit of memory is no danger', async () => {
    const { url } = await redisWith({ 'maxmemory-policy': 'allkeys-lru' });
    await acknowledges(url, 'memory');
  });

  it('the start waits for a Redis that is not there yet', async () => {
    const server = await redisWith({});
    await server.kill();
    const ingest = prepareIngest(server.url);
    const started = ingest.start();
    expect(ingest.isStarted).toBe(false);
    endWithTest(await server.again());
    await started;
    expect(ingest.isStarted).toBe(true);
    await loggedIn(ingest.port(), newImei());
  });

  it('the start waits for a Redis that hangs while it is checked', async () => {
    const server = await redisWith({});
    const ingest = prepareIngest(server.url, { INGEST_APPEND_TIMEOUT_MS: '200' });
    await eventually(() => ingest.redis.status === 'ready');
    await server.freeze();
    const started = ingest.start();
    await eventually(() => ingest.log.some(({ msg }) => msg.startsWith('Redis went away')));
    await server.thaw();
    await started;
    await loggedIn(ingest.port(), newImei());
  });
});
