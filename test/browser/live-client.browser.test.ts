/** The client of docs/live-protocol.md, as it stands there, and EventSource, in a real browser. */
import { readFile } from 'node:fs/promises';
import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest';
import { localProvider } from '../../src/auth/local/provider.ts';
import type { AuthProvider, Authorisation } from '../../src/auth/provider.ts';
import type { Site as LiveSite } from '../core/support.ts';
import { append, frame, record } from '../core/support.ts';
import { addDevices, addGroup, setState } from '../live/fixtures.ts';
import type { LiveTestOptions, TestLive } from '../live/support.ts';
import { TOKEN, openPreparedSite, startLive } from '../live/support.ts';
import { eventually } from '../support/eventually.ts';
import type { Site } from './browser.ts';
import { CHROMIUM, openBrowser, openPage, servePage } from './browser.ts';
import { openLine } from './line.ts';

const [A, B] = ['356307042441001', '356307042441002'] as const;
const START = 1_700_000_000_000;

interface Seen {
  readonly deviceId: string;
  readonly ts: number;
}

/** The definition in the document, without the line that calls it. */
async function clientSource(): Promise<string> {
  const document = await readFile(new URL('../../docs/live-protocol.md', import.meta.url), 'utf8');
  const source = /```js\n(function follow[\s\S]*?)\n```/.exec(document)?.[1] ?? '';
  expect(source.split('\n').length, 'as many lines as the document says').toBeLessThanOrEqual(50);
  return source.replace(/\nfollow\(.*$/, '');
}

/** The same, but it tends to its connection several times a second. */
async function busyClientSource(): Promise<string> {
  const source = await clientSource();
  expect(source).toContain('setInterval(tend, 20_000)');
  return source.replace('20_000', '300');
}

/** A web server with a page that can follow. */
async function servePageOf(source: string): Promise<Site> {
  return servePage(`<!doctype html><title>fleet</title><script>const seen = [];\n${source}</script>`);
}

/** An administrator who may read what the test says at the moment. */
function authority(answer: () => Authorisation): () => AuthProvider {
  return () => ({ ...localProvider(TOKEN), authorise: () => Promise.resolve(answer()) });
}

const UNAVAILABLE: Authorisation = { outcome: 'unavailable', message: 'away' };
const ONLY_A: Authorisation = { outcome: 'decided', allowed: new Set([`device:${A}`]) };

async function followIn(page: Page, url: string, ...topics: readonly string[]): Promise<void> {
  const list = JSON.stringify(topics);
  await page.evaluate(`follow('${url}', () => '${TOKEN}', ${list}, ({ deviceId, ts }) => seen.push({ deviceId, ts }))`);
}

/** Pages wait before they connect again. */
const RECONNECT = { timeoutMs: 20_000 };

const seenIn = (page: Page): Promise<Seen[]> => page.evaluate('seen');

async function siteWithDevices(): Promise<LiveSite> {
  const site = await openPreparedSite();
  await addDevices(site.pool, A, B);
  for (const device of [A, B]) await setState(site.pool, device, { ts: START });
  return site;
}

/** A live server to which pages of this origin may connect, on this port. */
function startFor(site: LiveSite, origin: string, port = '0', options: LiveTestOptions = {}): Promise<TestLive> {
  const overrides = { LIVE_ALLOWED_ORIGINS: origin, LIVE_WS_PORT: port, ...options.overrides };
  return startLive(site, { ...options, overrides });
}

describe.skipIf(CHROMIUM === undefined)('in Chromium', () => {
  let browser: Browser;
  beforeAll(async () => { browser = await openBrowser(); });
  afterAll(() => browser.close());

  test('the documented client shows every position, over a restart of the server too, and none twice', async () => {
    const site = await siteWithDevices();
    const { origin } = await servePageOf(await clientSource());
    const first = await startFor(site, origin);
    const page = await openPage(browser, origin);
    await followIn(page, first.url, '*');
    await eventually(async () => { expect(await seenIn(page)).toHaveLength(2); });
    await append(site.redis, frame(A, [record(START + 1_000)]));
    await eventually(async () => { expect((await seenIn(page)).at(-1)).toEqual({ deviceId: A, ts: START + 1_000 }); });
    const port = String(first.live.port);
    await first.stop();
    await append(site.redis, frame(A, [record(START + 2_000)]));
    const second = await startFor(site, origin, port);
    const isBack = async (): Promise<void> => {
      expect((await seenIn(page)).at(-1)).toEqual({ deviceId: A, ts: START + 2_000 });
    };
    await eventually(isBack, RECONNECT);
    await append(site.redis, frame(B, [record(START + 3_000)]));
    await eventually(async () => { expect((await seenIn(page)).at(-1)).toEqual({ deviceId: B, ts: START + 3_000 }); });
    const keys = (await seenIn(page)).map(({ deviceId, ts }) => `${deviceId}/${ts}`);
    expect(new Set(keys).size).toBe(keys.length);
    expect(await second.metric('processor_live_snapshot_duration_seconds', { result: 'resumed' })).toBeGreaterThan(0);
  });

  test('the documented client shows a parked device that was refused before a restart, and resumes the other', async () => {
    const site = await siteWithDevices();
    const { origin } = await servePageOf(await clientSource());
    const first = await startFor(site, origin, '0', { provider: authority(() => ONLY_A) });
    const page = await openPage(browser, origin);
    await followIn(page, first.url, `device:${A}`, `device:${B}`);
    await eventually(async () => { expect(await first.metric('processor_live_errors_total', { code: 'forbidden' })).toBe(1); });
    await eventually(async () => { expect(await seenIn(page)).toHaveLength(1); });
    await append(site.redis, frame(A, [record(START + 1_000)]));
    await eventually(async () => { expect((await seenIn(page)).at(-1)).toEqual({ deviceId: A, ts: START + 1_000 }); });
    const port = String(first.live.port);
    await first.stop();
    await startFor(site, origin, port);
    await eventually(async () => {
      expect((await seenIn(page)).at(-1)).toEqual({ deviceId: B, ts: START });
    }, RECONNECT);
    expect((await seenIn(page)).map(({ deviceId }) => deviceId)).toEqual([A, A, B]);
  });

  test('the documented client asks again for what nobody could say and for what has expired, on its connection', async () => {
    const site = await siteWithDevices();
    const { origin } = await servePageOf(await busyClientSource());
    let answer: Authorisation = UNAVAILABLE;
    const overrides = { LIVE_AUTHZ_REVALIDATE_MS: '1000' };
    const live = await startFor(site, origin, '0', { provider: authority(() => answer), overrides });
    const page = await openPage(browser, origin);
    await followIn(page, live.url, `device:${A}`);
    await eventually(async () => { expect(await live.metric('processor_live_errors_total', { code: 'authorisation_unavailable' })).toBeGreaterThan(0); });
    answer = ONLY_A;
    await eventually(async () => { expect(await seenIn(page)).toEqual([{ deviceId: A, ts: START }]); });
    answer = UNAVAILABLE;
    await eventually(async () => { expect(await live.metric('processor_live_unsubscriptions_total', { reason: 'expired' })).toBe(1); });
    await append(site.redis, frame(A, [record(START + 1_000)]));
    await eventually(async () => { expect(await live.metric('processor_live_broadcast_records_total')).toBe(1); });
    answer = ONLY_A;
    await eventually(async () => { expect((await seenIn(page)).at(-1)).toEqual({ deviceId: A, ts: START + 1_000 }); });
    expect(await live.metric('processor_live_closes_total')).toBe(0);
  });

  test('the documented client notices a line that is dead, and connects anew', async () => {
    const site = await siteWithDevices();
    const { origin } = await servePageOf(await busyClientSource());
    const live = await startFor(site, origin);
    const line = await openLine(live.live.port);
    const page = await openPage(browser, origin);
    await followIn(page, `ws://127.0.0.1:${line.port}/live`, `device:${A}`);
    await eventually(async () => { expect(await seenIn(page)).toHaveLength(1); });
    line.goDead();
    await append(site.redis, frame(A, [record(START + 1_000)]));
    await eventually(async () => {
      expect((await seenIn(page)).at(-1)).toEqual({ deviceId: A, ts: START + 1_000 });
    }, RECONNECT);
  });

  test('a page of an origin that is not listed gets no connection', async () => {
    const site = await siteWithDevices();
    const { origin } = await servePage('<!doctype html><title>evil</title>');
    const live = await startFor(site, 'https://fleet.example.com');
    const page = await openPage(browser, origin);
    const code = await page.evaluate(`new Promise((resolve) => { new WebSocket('${live.url}').onclose = ({ code }) => resolve(code); })`);
    expect(code).toBe(1006);
    expect(await live.metric('processor_live_rejections_total', { reason: 'origin' })).toBe(1);
  });

  test('EventSource shows a group, and goes on by itself where it was', async () => {
    const site = await siteWithDevices();
    const groupId = await addGroup(site.pool, 'fleet', A);
    const { origin } = await servePage('<!doctype html><title>fleet</title><script>const seen = [];</script>');
    const first = await startFor(site, origin);
    const page = await openPage(browser, origin);
    await page.evaluate(`
      const events = new EventSource('${first.httpUrl}/live/sse?topics=group:${groupId},device:${B}&access_token=${TOKEN}');
      events.onmessage = ({ data }) => {
        const message = JSON.parse(data);
        for (const { deviceId, ts } of message.snapshot ?? (message.position ? [message.position] : [])) seen.push({ deviceId, ts });
      };`);
    await eventually(async () => { expect(await seenIn(page)).toHaveLength(2); });
    await append(site.redis, frame(B, [record(START + 1_000)]));
    await eventually(async () => { expect((await seenIn(page)).at(-1)).toEqual({ deviceId: B, ts: START + 1_000 }); });
    const port = String(first.live.port);
    await first.stop();
    await append(site.redis, frame(B, [record(START + 2_000)]));
    const second = await startFor(site, origin, port);
    onTestFinished(() => second.stop());
    await eventually(async () => (await seenIn(page)).some(({ ts }) => ts === START + 2_000), RECONNECT);
    // The device goes on where it was; the group, of which the new process has no history, begins anew.
    const times = (await seenIn(page)).flatMap(({ deviceId, ts }) => (deviceId === B ? [ts] : []));
    expect(times).toEqual([START, START + 1_000, START + 2_000]);
  });
});
