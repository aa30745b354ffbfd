/** Every counter equals what happened. */
import { expect, test } from 'vitest';
import { append, frame, record, records } from '../core/support.ts';
import { eventually } from '../support/eventually.ts';
import { addDevices, addGroup, setState } from './fixtures.ts';
import type { TestLive } from './support.ts';
import { TOKEN, connect, openEvents, openPreparedSite, signedIn, startLive } from './support.ts';

const [A, B, C] = ['356307042441001', '356307042441002', '356307042441003'] as const;
const START = 1_700_000_000_000;

test('counters and gauges add up to known traffic', async () => {
  const site = await openPreparedSite();
  await addDevices(site.pool, A, B, C);
  await setState(site.pool, A, { ts: START });
  const groupId = await addGroup(site.pool, 'fleet', A, B);
  const live = await startLive(site);
  const { metric } = live;

  const [one, two] = [await signedIn(live.url), await signedIn(live.url)];
  const events = await openEvents(`${live.httpUrl}/live/sse?topics=device:${A}&access_token=${TOKEN}`);
  await events.next('subscribed');
  await one.subscribe(`group:${groupId}`);
  await two.subscribe(`device:${A}`);
  expect(await two.subscribe('device:unheard-of')).toMatchObject({ code: 'forbidden' });
  two.socket.send('nonsense');
  await two.next('error');
  await expect(connect(`${live.url}/elsewhere`)).rejects.toThrow('404');

  // A twice new and once late, B three times, C which nobody follows, and an entry that is none.
  const receivedAt = Date.now() - 40;
  await append(
    site.redis,
    frame(A, [record(START + 1), record(START + 2), record(START - 1)], receivedAt),
    frame(B, records(3, START), receivedAt),
    frame(C, [record(START)], receivedAt),
  );
  await site.redis.xadd('telemetry:{0}', '*', 'version', '1', 'device', A);
  await eventually(async () => { expect(await metric('processor_live_broadcast_drops_total', { reason: 'malformed' })).toBe(1); });
  await eventually(() => { expect(one.positions()).toHaveLength(5); });

  expect(await metric('processor_live_connections', { transport: 'websocket' })).toBe(2);
  expect(await metric('processor_live_connections', { transport: 'sse' })).toBe(1);
  expect(await metric('processor_live_subscriptions', { kind: 'device' })).toBe(2);
  expect(await metric('processor_live_subscriptions', { kind: 'group' })).toBe(1);
  expect(await metric('processor_live_device_group_pairs')).toBe(2);
  expect(await metric('processor_live_inbound_messages_total', { type: 'auth' })).toBe(2);
  expect(await metric('processor_live_inbound_messages_total', { type: 'subscribe' })).toBe(3);
  expect(await metric('processor_live_inbound_messages_total', { type: 'invalid' })).toBe(1);
  expect(await metric('processor_live_outbound_messages_total', { type: 'subscribed' })).toBe(3);
  expect(await metric('processor_live_outbound_messages_total', { type: 'error' })).toBe(2);
  expect(await metric('processor_live_errors_total')).toBe(2);
  expect(await metric('processor_live_rejections_total')).toBe(1);
  expect(await metric('processor_live_broadcast_records_total')).toBe(7);
  expect(await metric('processor_live_broadcast_drops_total', { reason: 'not_newer' })).toBe(1);
  expect(await metric('processor_live_broadcast_drops_total', { reason: 'no_viewer' })).toBe(1);
  // Two of A to three viewers, three of B to one.
  expect(await metric('processor_live_broadcast_fan_outs_total')).toBe(2 * 3 + 3);
  expect(await metric('processor_live_snapshot_positions')).toBeGreaterThan(0);
  const lag = live.registry.getSingleMetric('processor_live_broadcast_lag_seconds')!;
  const { values } = await lag.get();
  const sum = (suffix: string): number =>
    values.find((one) => (one as { metricName?: string }).metricName?.endsWith(suffix) === true)!.value;
  expect(sum('_count')).toBe(5);
  expect(sum('_sum')).toBeGreaterThanOrEqual(5 * 0.04);
  expect(sum('_sum')).toBeLessThan(5 * 2);

  for (const socket of [one.socket, two.socket]) socket.close(1000);
  events.close();
  await eventually(async () => { expect(await metric('processor_live_connections')).toBe(0); });
  expect(await metric('processor_live_subscriptions')).toBe(0);
  expect(await metric('processor_live_closes_total', { code: '1000' })).toBe(3);
  expect(await metric('processor_live_unsubscriptions_total')).toBe(0);
});

test('known devices and sessions are counted', async () => {
  const site = await openPreparedSite();
  await append(site.redis, frame(A, [record(START)]), frame(B, [record(START)]));
  const live = await startLive(site);
  await signedIn(live.url);
  await signedIn(live.url);
  await eventually(async () => { expect(await live.metric('processor_live_known_devices')).toBe(2); });
  expect(await live.metric('processor_live_sessions')).toBe(1);
});

/** Observations of a histogram that have this result. */
async function observed({ registry }: TestLive, name: string, result: string): Promise<number> {
  const { values } = await registry.getSingleMetric(name)!.get();
  return values.filter((one) => one.labels.result === result)
    .reduce((sum, one) => sum + ((one as { metricName?: string }).metricName === `${name}_count` ? one.value : 0), 0);
}

test('what the authority is asked is timed by what it answers, and the age of what is known of groups is told', async () => {
  const site = await openPreparedSite();
  await addDevices(site.pool, A);
  const groupId = await addGroup(site.pool, 'fleet', A);
  const live = await startLive(site);
  const viewer = await signedIn(live.url);
  const refused = await fetch(`${live.httpUrl}/live/sse?topics=device:${A}&access_token=somebody-else`);
  expect(refused.status).toBe(401);
  expect(await observed(live, 'processor_live_auth_duration_seconds', 'accepted')).toBe(1);
  expect(await observed(live, 'processor_live_auth_duration_seconds', 'refused')).toBe(1);
  expect(await observed(live, 'processor_live_authz_duration_seconds', 'decided')).toBe(0);
  await viewer.subscribe(`group:${groupId}`);
  expect(await observed(live, 'processor_live_authz_duration_seconds', 'decided')).toBe(1);
  await eventually(async () => { expect(await live.metric('processor_live_device_group_age_seconds')).toBeGreaterThan(0); });
  expect(await live.metric('processor_live_device_group_age_seconds')).toBeLessThan(60);
});
