/** Going on after a reconnect: what was missed, conflated, or a fresh snapshot when that is too far back. */
import { describe, expect, test } from 'vitest';
import { append, frame, record, STREAMS } from '../core/support.ts';
import { eventually } from '../support/eventually.ts';
import { addDevices, addGroup, join, setState } from './fixtures.ts';
import type { TestViewer } from './support.ts';
import { openPreparedSite, signedIn, startLive } from './support.ts';

const [A, B, C] = ['356307042441001', '356307042441002', '356307042441003'] as const;
const START = 1_700_000_000_000;
const QUICK_GROUPS = { LIVE_DEVICE_EVENT_REFRESH_MS: '100' };

function lastId({ received }: TestViewer): string {
  return received.findLast(({ id }) => id !== undefined)!.id!;
}

async function siteWithDevices() {
  const site = await openPreparedSite();
  await addDevices(site.pool, A, B, C);
  return site;
}

describe('a viewer that comes back with the last id', () => {
  test('is sent the newest position of each device that has one since, and no other', async () => {
    const site = await siteWithDevices();
    const live = await startLive(site);
    const first = await signedIn(live.url);
    await first.subscribe('*');
    await append(site.redis, ...[A, B, C].map((device) => frame(device, [record(START)])));
    await eventually(() => { expect(first.positions()).toHaveLength(3); });
    await first.roundTrip();
    first.socket.close();
    const late = frame(B, [record(START - 5_000)]);
    await append(site.redis, frame(A, [record(START + 1_000), record(START + 2_000)]), late);
    await append(site.redis, frame(A, [record(START + 3_000)]));
    await eventually(async () => { expect(await live.metric('processor_live_broadcast_records_total')).toBe(7); });
    const second = await signedIn(live.url);
    const answer = await second.subscribe('*', { resume: lastId(first) });
    expect(answer).toMatchObject({ resumed: true, snapshot: [{ deviceId: A, ts: START + 3_000 }] });
    expect(await live.metric('processor_live_snapshot_duration_seconds', { result: 'resumed' })).toBeGreaterThan(0);
  });

  test('misses nothing and gets nothing twice, however often it is cut off', async () => {
    const site = await siteWithDevices();
    const live = await startLive(site);
    const COUNT = 500;
    let appended = 0;
    const appending = (async () => {
      for (; appended < COUNT; appended += 1) {
        await append(site.redis, frame([A, B, C][appended % 3]!, [record(START + appended)]));
      }
    })();
    const newest = new Map<string, number>();
    let resume: string | undefined;
    while (appended < COUNT) {
      const viewer = await signedIn(live.url);
      const { snapshot, resumed, id } = await viewer.subscribe('*', { resume });
      if (resume !== undefined) expect(resumed).toBe(true);
      const goal = Math.min(COUNT, appended + 30);
      await eventually(() => appended >= goal);
      await viewer.roundTrip();
      viewer.socket.terminate();
      const all = [...snapshot!, ...viewer.positions()];
      for (const { deviceId, ts } of all) {
        expect(ts).toBeGreaterThan(newest.get(deviceId) ?? 0);
        newest.set(deviceId, ts);
      }
      resume = viewer.received.some(({ type }) => type === 'cursor') ? lastId(viewer) : id;
    }
    await appending;
    const viewer = await signedIn(live.url);
    await eventually(async () => { expect(await live.metric('processor_live_broadcast_records_total')).toBe(COUNT); });
    for (const { deviceId, ts } of (await viewer.subscribe('*', { resume })).snapshot!) newest.set(deviceId, ts);
    expect([...newest.values()].sort()).toEqual([COUNT - 3, COUNT - 2, COUNT - 1].map((n) => START + n));
  });

  test('goes on at another process, from what the stream still holds', async () => {
    const site = await siteWithDevices();
    const live = await startLive(site);
    const first = await signedIn(live.url);
    await first.subscribe('*');
    await append(site.redis, ...[A, B].map((device) => frame(device, [record(START)])));
    await eventually(() => { expect(first.positions()).toHaveLength(2); });
    await first.roundTrip();
    await live.stop();
    await append(site.redis, frame(A, [record(START + 1_000)]));
    const second = await signedIn((await startLive(site)).url);
    expect(await second.subscribe('*', { resume: lastId(first) })).toMatchObject({ resumed: true, snapshot: [{ deviceId: A, ts: START + 1_000 }] });
  });

  test('gets a fresh snapshot where the stream no longer holds what came since', async () => {
    const site = await siteWithDevices();
    for (const device of [A, B, C]) await setState(site.pool, device, { ts: START });
    const live = await startLive(site);
    const first = await signedIn(live.url);
    await first.subscribe('*');
    await append(site.redis, frame(A, [record(START + 1_000)]));
    await first.next('position');
    await first.roundTrip();
    await live.stop();
    await append(site.redis, ...[A, B, C].map((device) => frame(device, [record(START + 2_000)])));
    for (const stream of STREAMS) await site.redis.xtrim(stream, 'MAXLEN', '0');
    const second = await signedIn((await startLive(site)).url);
    const answer = await second.subscribe('*', { resume: lastId(first) });
    expect(answer.resumed).toBe(false);
    expect(answer.snapshot).toHaveLength(3);
  });

  test.each([['not an id', 'yesterday'], ['of a feed with other partitions', '1-0'], ['empty', '']])(
    'that is %s gets a fresh snapshot', async (_what, resume) => {
      const site = await siteWithDevices();
      await setState(site.pool, A, { ts: START });
      const viewer = await signedIn((await startLive(site)).url);
      expect(await viewer.subscribe('*', { resume })).toMatchObject({ resumed: false, snapshot: [{ deviceId: A }] });
    });
});

test('an id that is ahead of the stream gets a fresh snapshot', async () => {
  const site = await siteWithDevices();
  const live = await startLive(site);
  const viewer = await signedIn(live.url);
  await viewer.subscribe('*');
  await append(site.redis, frame(A, [record(START)]));
  await viewer.next('cursor');
  const id = lastId(viewer);
  expect(await viewer.subscribe('*', { resume: id })).toMatchObject({ resumed: true, snapshot: [] });
  const [first = '', ...others] = id.split(',');
  for (const ahead of [`${first}0`, first.replace(/\d+$/, (sequence) => String(Number(sequence) + 1))]) {
    expect(await viewer.subscribe('*', { resume: [ahead, ...others].join(',') })).toMatchObject({ resumed: false, snapshot: [{ deviceId: A }] });
  }
});

describe('a group that is resumed', () => {
  test('is what has changed in it, where its members are the same', async () => {
    const site = await siteWithDevices();
    const groupId = await addGroup(site.pool, 'fleet', A, B);
    const live = await startLive(site, { overrides: QUICK_GROUPS });
    const first = await signedIn(live.url);
    await first.subscribe(`group:${groupId}`);
    await append(site.redis, ...[A, B].map((device) => frame(device, [record(START)])));
    // Later than the margin for changes that another process may have noticed later.
    await eventually(async () => {
      await append(site.redis, frame(B, [record(START + first.positions().length)]));
      expect(Number(lastId(first).split('-')[0])).toBeGreaterThan(Date.now() - 50);
      expect(first.positions().length).toBeGreaterThan(20);
    });
    await first.roundTrip();
    await append(site.redis, frame(A, [record(START + 1_000)]));
    const second = await signedIn(live.url);
    await eventually(async () => {
      expect(await second.subscribe(`group:${groupId}`, { resume: lastId(first) })).toMatchObject({ resumed: true });
    });
  });

  test('comes with a fresh snapshot where a device has joined meanwhile', async () => {
    const site = await siteWithDevices();
    for (const device of [A, B, C]) await setState(site.pool, device, { ts: START });
    const groupId = await addGroup(site.pool, 'fleet', A);
    const live = await startLive(site, { overrides: QUICK_GROUPS });
    const first = await signedIn(live.url);
    await first.subscribe(`group:${groupId}`);
    await append(site.redis, frame(A, [record(START + 1_000)]));
    await first.next('position');
    await first.roundTrip();
    await join(site.pool, groupId, B);
    await eventually(async () => { expect(await live.metric('processor_live_device_group_pairs')).toBe(2); });
    const second = await signedIn(live.url);
    const answer = await second.subscribe(`group:${groupId}`, { resume: lastId(first) });
    expect(answer.resumed).toBe(false);
    expect(answer.snapshot!.map(({ deviceId }) => deviceId).sort()).toEqual([A, B]);
  });
});
