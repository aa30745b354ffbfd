/** The client of docs/live-protocol.md, as it stands there, and EventSource, in a real browser. */
import { readFile } from 'node:fs/promises';
import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest';
import type { Site as LiveSite } from '../core/support.ts';
import { append, frame, record } from '../core/support.ts';
import { addDevices, addGroup, setState } from '../live/fixtures.ts';
import type { TestLive } from '../live/support.ts';
import { TOKEN, openPreparedSite, startLive } from '../live/support.ts';
import { eventually } from '../support/eventually.ts';
import { CHROMIUM, openBrowser, openPage, servePage } from './browser.ts';

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
  expect(source.split('\n').length).toBeLessThanOrEqual(22);
  return source.replace(/\nfollow\(.*$/, '');
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
function startFor(site: LiveSite, origin: string, port = '0'): Promise<TestLive> {
  return startLive(site, { overrides: { LIVE_ALLOWED_ORIGINS: origin, LIVE_WS_PORT: port } });
}

describe.skipIf(CHROMIUM === undefined)('in Chromium', () => {
  let browser: Browser;
  beforeAll(async () => { browser = await openBrowser(); });
  afterAll(() => browser.close());

  test('the documented client shows every position, over a restart of the server too, and none twice', async () => {
    const site = await siteWithDevices();
    const { origin } = await servePage(`<!doctype html><title>fleet</title><script>const seen = [];\n${await clientSource()}</script>`);
    const first = await startFor(site, origin);
    const page = await openPage(browser, origin);
    await page.evaluate(`follow('${first.url}', () => '${TOKEN}', ['*'], ({ deviceId, ts }) => seen.push({ deviceId, ts }))`);
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
