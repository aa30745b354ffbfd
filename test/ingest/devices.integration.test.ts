/** Which device speaks on which connection, and which may. */
import type { Redis } from 'ioredis';
import { beforeEach, describe, expect, it } from 'vitest';
import { encodeLogin as encodeGt06Login } from '../../src/protocols/gt06/encode.ts';
import { encodeLogin } from '../../src/protocols/teltonika/encode.ts';
import {
  DEVICE_LIST_DIGEST_KEY, DISABLED_DEVICES_KEY, ENABLED_DEVICES_KEY,
} from '../../src/shared/contracts/device-list.ts';
import { createRedis, startPrivateRedis } from '../support/redis.ts';
import { eventually } from '../support/eventually.ts';
import type { Labels, TestIngest } from './support.ts';
import { endServer, lookInto, recordsOf, startIngest } from './support.ts';
import { connectTracker, dataFrame, loggedIn, newImei } from './tracker.ts';

const DISCONNECTIONS = 'odograph_ingest_disconnections_total';
const LIST_SIZE = 'odograph_ingest_device_list_size';

let redisUrl: string;
let redis: Redis;
let imei: string;

beforeEach(async () => {
  redisUrl = (await createRedis()).url;
  redis = lookInto(redisUrl);
  imei = newImei();
});

async function publish(list: { enabled: readonly string[]; disabled: readonly string[] }): Promise<void> {
  const transaction = redis.multi().del(ENABLED_DEVICES_KEY, DISABLED_DEVICES_KEY);
  if (list.enabled.length > 0) transaction.sadd(ENABLED_DEVICES_KEY, ...list.enabled);
  if (list.disabled.length > 0) transaction.sadd(DISABLED_DEVICES_KEY, ...list.disabled);
  await transaction.set(DEVICE_LIST_DIGEST_KEY, JSON.stringify(list)).exec();
}

function start(settings: Labels = {}): Promise<TestIngest> {
  return startIngest(redisUrl, { INGEST_LISTENERS: 'teltonika:0,gt06:0', DEVICE_LIST_REFRESH_MS: '100', ...settings });
}

describe('two connections of one device', () => {
  it('the newer wins and the older is closed', async () => {
    const ingest = await start();
    const older = await loggedIn(ingest.port(), imei);
    const newer = await loggedIn(ingest.port(), imei);
    await older.closed();
    newer.send(dataFrame(2));
    expect(await newer.acknowledgement()).toBe(2);
    await eventually(async () => { expect(await ingest.metric(DISCONNECTIONS, { reason: 'superseded' })).toBe(1); });
  });

  it('the end of the older does not make the newer forgotten', async () => {
    const ingest = await start();
    const older = await loggedIn(ingest.port(), imei);
    const newer = await loggedIn(ingest.port(), imei);
    await older.closed();
    await eventually(async () => { expect(await ingest.metric('odograph_ingest_connections')).toBe(1); });
    const newest = await loggedIn(ingest.port(), imei);
    await newer.closed();
    expect(newest.isClosed).toBe(false);
  });

  it('the frame under way on the older is appended and acknowledged there', async () => {
    const server = await startPrivateRedis();
    try {
      const ingest = await startIngest(server.url, { INGEST_APPEND_TIMEOUT_MS: '60000' });
      const older = await loggedIn(ingest.port(), imei);
      await server.freeze();
      older.send(dataFrame(3));
      await eventually(async () => { expect(await ingest.metric('odograph_ingest_append_queue_bytes')).toBeGreaterThan(0); });
      const newer = await loggedIn(ingest.port(), imei);
      newer.send(dataFrame(1));
      expect(older.received).toHaveLength(1);
      await server.thaw();
      expect(await older.acknowledgement()).toBe(3);
      await older.closed();
      expect(await newer.acknowledgement()).toBe(1);
      expect(await recordsOf(lookInto(server.url), imei)).toHaveLength(4);
    } finally {
      await endServer(server);
    }
  });

  it('a connection that has logged in as another device frees the first', async () => {
    const ingest = await start();
    const turncoat = await loggedIn(ingest.port(), imei);
    await turncoat.logIn(newImei());
    await loggedIn(ingest.port(), imei);
    turncoat.send(dataFrame(1));
    expect(await turncoat.acknowledgement()).toBe(1);
  });
});

describe('INGEST_UNKNOWN_DEVICES=reject', () => {
  const reject = { INGEST_UNKNOWN_DEVICES: 'reject' };

  it('lets in an enabled device, answers 00 to disabled and unknown ones and closes', async () => {
    const disabled = newImei();
    await publish({ enabled: [imei], disabled: [disabled] });
    const ingest = await start(reject);
    await loggedIn(ingest.port(), imei);
    for (const [device, reason] of [[disabled, 'device_disabled'], [newImei(), 'unknown_device']] as const) {
      const tracker = await connectTracker(ingest.port());
      tracker.send(encodeLogin(device), dataFrame(1));
      await tracker.closed();
      expect(tracker.received).toEqual(Buffer.from([0]));
      expect(await ingest.metric('odograph_ingest_rejections_total', { reason })).toBe(1);
      expect(await recordsOf(redis, device)).toEqual([]);
    }
    expect(await ingest.metric(LIST_SIZE, { state: 'enabled' })).toBe(1);
    expect(await ingest.metric(LIST_SIZE, { state: 'disabled' })).toBe(1);
  });

  it('closes a gt06 device without an answer, since the protocol has none', async () => {
    await publish({ enabled: [imei], disabled: [] });
    const ingest = await start(reject);
    const tracker = await connectTracker(ingest.port('tcp', 'gt06'));
    tracker.send(encodeGt06Login({ imei: newImei() }, 1));
    await tracker.closed();
    expect(tracker.received).toHaveLength(0);
  });

  it('closes without an answer while no list was ever published, and lets in once one is', async () => {
    const ingest = await start(reject);
    const early = await connectTracker(ingest.port());
    early.send(encodeLogin(imei));
    await early.closed();
    expect(early.received).toHaveLength(0);
    expect(await ingest.metric('odograph_ingest_rejections_total', { reason: 'device_list_unavailable' })).toBe(1);
    await publish({ enabled: [imei], disabled: [] });
    await eventually(async () => { await loggedIn(ingest.port(), imei); });
  });

  it('an empty list lets nobody in', async () => {
    await publish({ enabled: [], disabled: [] });
    const ingest = await start(reject);
    const tracker = await connectTracker(ingest.port());
    tracker.send(encodeLogin(imei));
    await tracker.closed();
    expect(tracker.received).toEqual(Buffer.from([0]));
  });

  it('answers the refused second login behind the acknowledgement of the frame before it', async () => {
    await publish({ enabled: [imei], disabled: [] });
    const ingest = await start(reject);
    const tracker = await loggedIn(ingest.port(), imei);
    tracker.send(dataFrame(2), encodeLogin(newImei()));
    await tracker.closed();
    expect(tracker.received).toEqual(Buffer.from('010000000200', 'hex'));
  });

  it('closes the device that a new list disables, and only that', async () => {
    const other = newImei();
    await publish({ enabled: [imei, other], disabled: [] });
    const ingest = await start(reject);
    const tracker = await loggedIn(ingest.port(), imei);
    const neighbour = await loggedIn(ingest.port(), other);
    await publish({ enabled: [other], disabled: [imei] });
    await tracker.closed();
    await eventually(async () => { expect(await ingest.metric(DISCONNECTIONS, { reason: 'device_disabled' })).toBe(1); });
    neighbour.send(dataFrame(1));
    expect(await neighbour.acknowledgement()).toBe(1);
  });
});

describe('INGEST_UNKNOWN_DEVICES=accept', () => {
  it('lets in everyone but the disabled', async () => {
    const disabled = newImei();
    await publish({ enabled: [], disabled: [disabled] });
    const ingest = await start();
    await loggedIn(ingest.port(), imei);
    const tracker = await connectTracker(ingest.port());
    tracker.send(encodeLogin(disabled));
    await tracker.closed();
    expect(tracker.received).toEqual(Buffer.from([0]));
  });
});

describe('INGEST_NEW_DEVICES_PER_MINUTE', () => {
  const one = { INGEST_NEW_DEVICES_PER_MINUTE: '1' };
  const limited = { reason: 'registration_limited' };

  async function logInTen(ingest: TestIngest): Promise<string[]> {
    const imeis = Array.from({ length: 10 }, newImei);
    for (const each of imeis) await loggedIn(ingest.port(), each);
    return imeis;
  }

  async function expectRefused(port: number, login: Buffer, answer: Buffer): Promise<void> {
    const tracker = await connectTracker(port);
    tracker.send(login);
    await tracker.closed();
    expect(tracker.received).toEqual(answer);
  }

  it('refuses new devices beyond ten minutes\' worth as a device that is not let in, counts and logs them', async () => {
    const ingest = await start(one);
    await logInTen(ingest);
    await expectRefused(ingest.port(), encodeLogin(newImei()), Buffer.from([0]));
    await expectRefused(ingest.port('tcp', 'gt06'), encodeGt06Login({ imei: newImei() }, 1), Buffer.alloc(0));
    expect(await ingest.metric('odograph_ingest_rejections_total', limited)).toBe(2);
    await eventually(async () => { expect(await ingest.metric(DISCONNECTIONS, limited)).toBe(2); });
    expect(ingest.warnings('registration_limited')).toHaveLength(2);
    expect(await ingest.metric(LIST_SIZE, { state: 'new' })).toBe(10);
  });

  it('lets in again who was let in before, and who is in the list', async () => {
    const ingest = await start(one);
    const imeis = await logInTen(ingest);
    await publish({ enabled: [imei], disabled: [] });
    await eventually(async () => { expect(await ingest.metric(LIST_SIZE, { state: 'enabled' })).toBe(1); });
    for (const each of [imei, ...imeis]) await loggedIn(ingest.port(), each);
  });

  it('is filled again by nothing but time: a device that comes into the list gives no place back', async () => {
    const ingest = await start(one);
    const imeis = await logInTen(ingest);
    await publish({ enabled: imeis, disabled: [] });
    await eventually(async () => { expect(await ingest.metric(LIST_SIZE, { state: 'new' })).toBe(0); });
    await expectRefused(ingest.port(), encodeLogin(newImei()), Buffer.from([0]));
    for (const each of imeis) await loggedIn(ingest.port(), each);
  });

  it('does not touch who is connected when a list comes without them', async () => {
    const ingest = await start(one);
    const tracker = await loggedIn(ingest.port(), imei);
    await publish({ enabled: [newImei()], disabled: [] });
    await eventually(async () => { expect(await ingest.metric(LIST_SIZE, { state: 'enabled' })).toBe(1); });
    tracker.send(dataFrame(1));
    expect(await tracker.acknowledgement()).toBe(1);
  });
});

describe('a list of many devices', () => {
  it('is read whole, in pieces', async () => {
    const enabled = Array.from({ length: 20_000 }, newImei);
    await publish({ enabled, disabled: [imei] });
    const ingest = await start({ INGEST_UNKNOWN_DEVICES: 'reject' });
    expect(await ingest.metric(LIST_SIZE, { state: 'enabled' })).toBe(20_000);
    for (const each of [0, 9_999, 19_999]) await loggedIn(ingest.port(), enabled[each]!);
  });
});

describe('with Redis away', () => {
  it('goes on with the last list, and says so once', async () => {
    const server = await startPrivateRedis({ appendonly: 'yes' });
    redis = lookInto(server.url);
    await publish({ enabled: [imei], disabled: [] });
    redis.disconnect();
    const settings = { DEVICE_LIST_REFRESH_MS: '100', INGEST_UNKNOWN_DEVICES: 'reject' };
    const ingest = await startIngest(server.url, settings);
    await server.kill();
    const stale = (): number => ingest.warnings().filter(({ msg }) => msg.startsWith('cannot read the device list')).length;
    await eventually(() => stale() > 0);
    await loggedIn(ingest.port(), imei);
    const unknown = await connectTracker(ingest.port());
    unknown.send(encodeLogin(newImei()));
    await unknown.closed();
    expect(unknown.received).toEqual(Buffer.from([0]));
    expect(stale()).toBe(1);
  });
});
