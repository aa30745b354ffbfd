/** Whoever goes by the header Link reads every list to its end, and the same as whoever goes by `next`. */
import { expect, test } from 'vitest';
import type { PageOf, TestApi } from './support.ts';
import { addDevices, addPositions, allPages, openPrepared, refreshStates, startApi } from './support.ts';

const BEGIN = Date.parse('2026-05-04T00:00:00Z');
const RANGE = 'from=2026-05-04&to=2026-05-05';
const PATHS = [
  '/v1/devices?limit=2', '/v1/groups?limit=2', '/v1/positions/latest?limit=2',
  `/v1/devices/A/positions?${RANGE}&limit=2`, `/v1/summaries?${RANGE}&limit=2`,
];

async function openFleet(): Promise<TestApi> {
  const site = await openPrepared();
  const ids = await addDevices(site.pool, 'A', 'B', 'C', 'D', 'E');
  for (const id of ids.values()) {
    await addPositions(site.pool, id, Array.from({ length: 5 }, (_, at) => ({ ts: BEGIN + at * 60_000 })));
  }
  await refreshStates(site.pool);
  await site.pool.query("insert into groups (name) select 'group ' || n from generate_series(1, 5) n");
  return startApi(site);
}

async function linkedPages(api: TestApi, path: string): Promise<unknown[]> {
  const pages: unknown[] = [];
  for (let url = path; url !== '';) {
    const { status, json, headers, text } = await api.ask(url);
    expect(status, text).toBe(200);
    const { items, next } = json as PageOf<unknown>;
    pages.push([...items]);
    url = /^<(.*)>; rel="next"$/.exec(headers.get('link') ?? '')?.[1] ?? '';
    // Neither without the other.
    expect(url === '', url).toBe(next === null);
  }
  return pages;
}

test.each(PATHS)('%s leads to all of its pages by Link', async (path) => {
  const api = await openFleet();
  const pages = await allPages<unknown>(api, path);
  expect(pages).toHaveLength(3);
  expect(await linkedPages(api, path)).toEqual(pages);
  // Out of the cache, where there is one.
  expect(await linkedPages(api, path)).toEqual(pages);
});
