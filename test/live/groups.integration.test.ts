/** Groups: who belongs to one, and when, as those who follow it see it. */
import { readFile } from 'node:fs/promises';
import { describe, expect, test } from 'vitest';
import { append, frame, record, value } from '../core/support.ts';
import { eventually } from '../support/eventually.ts';
import { addDevices, addGroup, join, leave, setState } from './fixtures.ts';
import { openPreparedSite, signedIn, startLive } from './support.ts';

const [A, B, C] = ['356307042441001', '356307042441002', '356307042441003'] as const;
const START = 1_700_000_000_000;

async function siteWithDevices() {
  const site = await openPreparedSite();
  await addDevices(site.pool, A, B, C);
  for (const device of [A, B, C]) await setState(site.pool, device, { ts: START });
  return site;
}

/** The statements of the section of docs/operations.md, in order. */
async function documentedSql(): Promise<readonly string[]> {
  const document = await readFile(new URL('../../docs/operations.md', import.meta.url), 'utf8');
  const block = /^## Devices and groups$[^]*?^```sql\n([^]*?)\n```$/m.exec(document)?.[1] ?? '';
  return block.split(/;$/m).map((statement) => statement.trim()).filter((statement) => statement !== '');
}

test('the documented SQL makes groups that can be followed, and ends a membership', async () => {
  const site = await openPreparedSite();
  const live = await startLive(site);
  const [device = '', fleet = '', member = '', race = '', participants = '', leaving = ''] = await documentedSql();
  await site.pool.query(device);
  const uniqueId = '356307042441013';
  await setState(site.pool, uniqueId, { ts: START });
  const topicOf = async (sql: string): Promise<string> => `group:${String(await value(site.pool, sql))}`;
  const topic = await topicOf(fleet);
  await site.pool.query(member);
  const viewer = await signedIn(live.url);
  expect((await viewer.subscribe(topic)).snapshot).toMatchObject([{ deviceId: uniqueId }]);
  const event = await topicOf(race);
  expect((await site.pool.query(participants)).rowCount).toBe(1);
  expect((await viewer.subscribe(event)).type).toBe('subscribed');
  expect((await site.pool.query(leaving)).rowCount).toBe(1);
  expect(await viewer.next('left')).toMatchObject({ topic, deviceId: uniqueId });
});

describe('a group', () => {
  test('shows its devices, and nobody else', async () => {
    const site = await siteWithDevices();
    const groupId = await addGroup(site.pool, 'fleet', A, B);
    const viewer = await signedIn((await startLive(site)).url);
    const { snapshot } = await viewer.subscribe(`group:${groupId}`);
    expect(snapshot!.map(({ deviceId }) => deviceId).sort()).toEqual([A, B]);
    await append(site.redis, ...[A, C, B].map((device) => frame(device, [record(START + 1_000)])));
    await eventually(() => { expect(viewer.positions().map(({ deviceId }) => deviceId).sort()).toEqual([A, B]); });
    await viewer.roundTrip();
    expect(viewer.positions()).toHaveLength(2);
  });

  test('is an event too, each under the name it was asked for', async () => {
    const site = await siteWithDevices();
    const groupId = await addGroup(site.pool, 'race', A);
    const viewer = await signedIn((await startLive(site)).url);
    await viewer.subscribe(`event:${groupId}`);
    await viewer.subscribe(`group:${groupId}`);
    await append(site.redis, frame(A, [record(START + 1_000)]));
    await eventually(() => {
      expect(viewer.positions(`event:${groupId}`)).toHaveLength(1);
      expect(viewer.positions(`group:${groupId}`)).toHaveLength(1);
    });
  });

  test('that does not exist is refused like one that may not be read', async () => {
    const viewer = await signedIn((await startLive(await siteWithDevices())).url);
    const topic = 'group:00000000-0000-4000-8000-000000000000';
    expect(await viewer.subscribe(topic)).toMatchObject({ type: 'error', code: 'forbidden', topic });
  });

  test('a device that joins is shown at once, and one that leaves is shown no more', async () => {
    const site = await siteWithDevices();
    const groupId = await addGroup(site.pool, 'fleet', A);
    const live = await startLive(site);
    const viewer = await signedIn(live.url);
    await viewer.subscribe(`group:${groupId}`);
    await eventually(async () => { expect(await live.metric('processor_live_device_group_refreshes_total')).toBeGreaterThan(1); });
    await join(site.pool, groupId, B);
    await eventually(() => { expect(viewer.positions()).toMatchObject([{ deviceId: B, ts: START }]); });
    await append(site.redis, frame(B, [record(START + 1_000)]));
    await eventually(() => { expect(viewer.positions()).toHaveLength(2); });
    await leave(site.pool, groupId, B);
    expect(await viewer.next('left')).toEqual({ type: 'left', topic: `group:${groupId}`, deviceId: B });
    await append(site.redis, frame(B, [record(START + 2_000)]), frame(A, [record(START + 2_000)]));
    await eventually(() => { expect(viewer.positions().at(-1)).toMatchObject({ deviceId: A, ts: START + 2_000 }); });
    await viewer.roundTrip();
    expect(viewer.positions()).toHaveLength(3);
    expect(await live.metric('processor_live_device_group_pairs')).toBe(1);
  });

  test('a membership begins and ends by the clock', async () => {
    const site = await siteWithDevices();
    const groupId = await addGroup(site.pool, 'shift');
    await site.pool.query(
      `insert into group_devices (group_id, device_id, valid_from, valid_to)
       select $1, id, now() + interval '700 milliseconds', now() + interval '1500 milliseconds' from devices where unique_id = $2`, [groupId, A]);
    const viewer = await signedIn((await startLive(site)).url);
    expect((await viewer.subscribe(`group:${groupId}`)).snapshot).toEqual([]);
    await append(site.redis, frame(A, [record(START + 1_000)]));
    // Where it is when the shift begins, and nothing of before.
    await eventually(() => { expect(viewer.positions()).toMatchObject([{ deviceId: A, ts: START + 1_000 }]); });
    expect(await viewer.next('left')).toMatchObject({ deviceId: A });
    await append(site.redis, frame(A, [record(START + 2_000)]));
    await viewer.roundTrip();
    expect(viewer.positions()).toHaveLength(1);
  });

  test('changes are found at the next refresh where nobody announces them', async () => {
    const site = await siteWithDevices();
    const groupId = await addGroup(site.pool, 'fleet', A);
    await site.pool.query('drop trigger group_devices_announce on group_devices');
    const viewer = await signedIn((await startLive(site, { overrides: { LIVE_DEVICE_EVENT_REFRESH_MS: '300' } })).url);
    await viewer.subscribe(`group:${groupId}`);
    await join(site.pool, groupId, C);
    await eventually(() => { expect(viewer.positions()).toMatchObject([{ deviceId: C }]); });
  });

  test('that is deleted loses its devices', async () => {
    const site = await siteWithDevices();
    const groupId = await addGroup(site.pool, 'fleet', A);
    const viewer = await signedIn((await startLive(site)).url);
    await viewer.subscribe(`group:${groupId}`);
    await site.pool.query('delete from groups');
    expect(await viewer.next('left')).toMatchObject({ deviceId: A });
  });

  test('is read once for all who follow it, and is forgotten some time after the last', async () => {
    const site = await siteWithDevices();
    const groupId = await addGroup(site.pool, 'fleet', A);
    const live = await startLive(site, { overrides: { LIVE_DEVICE_EVENT_REFRESH_MS: '200' } });
    const viewers = await Promise.all(Array.from({ length: 20 }, () => signedIn(live.url)));
    await Promise.all(viewers.map((viewer) => viewer.subscribe(`group:${groupId}`)));
    expect(await live.metric('processor_live_subscriptions', { kind: 'group' })).toBe(20);
    expect(await live.metric('processor_live_device_group_pairs')).toBe(1);
    for (const viewer of viewers) viewer.socket.close();
    await eventually(async () => { expect(await live.metric('processor_live_device_group_pairs')).toBe(0); });
    expect(await live.metric('processor_live_subscriptions')).toBe(0);
  });
});

test('the topic * shows every device, those that come later too', async () => {
  const site = await siteWithDevices();
  const viewer = await signedIn((await startLive(site)).url);
  expect((await viewer.subscribe('*')).snapshot!.map(({ deviceId }) => deviceId).sort()).toEqual([A, B, C]);
  await append(site.redis, frame('new-one', [record(START)]), frame(A, [record(START + 1_000)]));
  await eventually(() => { expect(viewer.positions().map(({ deviceId }) => deviceId).sort()).toEqual([A, 'new-one']); });
});
