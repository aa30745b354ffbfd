import { describe, expect, it } from 'vitest';
import { MAX_PAGE_BYTES } from '../../../src/query/formats/json-page.ts';
import type { PageOf, TestApi } from '../support.ts';
import { STORAGES, addDevices, addPositions, allPages, openPrepared, refusal, startApi } from '../support.ts';

const START = Date.parse('2026-05-04T10:00:00Z');
const RANGE = 'from=2026-05-04T10:00:00Z&to=2026-05-04T11:00:00Z';

interface Item {
  readonly ts: number;
  readonly eventId: number;
  readonly [field: string]: unknown;
}

const ATTRIBUTES =
  '{"ignition": true, "io1": {"__bigint": "18446744073709551615"}, "power": 12.30, "big": 12345678901234567890.5}';

const keyOf = ({ ts, eventId }: Item): string => `${ts}/${eventId}`;

async function get(api: TestApi, query: string, headers: Record<string, string> = {}) {
  return api.ask(`/v1/devices/356307042441013/positions?${query}`, { headers });
}

describe.each(STORAGES)('pages of a history in %s', (storage) => {
  it('show each record of the range once, in either order', async () => {
    const site = await openPrepared(storage);
    const ids = await addDevices(site.pool, '356307042441013', 'other');
    const timeOf = (index: number): number => START + Math.floor(index / 2) * 1_000;
    const records = Array.from({ length: 500 }, (_, index) => ({ ts: timeOf(index), eventId: index % 2 }));
    const withinOneMillisecond = [{ ts: '2026-05-04T10:30:00.000500Z' }, { ts: '2026-05-04T10:30:00.000501Z' }];
    await addPositions(site.pool, ids.get('356307042441013'), [
      { ts: START - 1 }, ...records, ...withinOneMillisecond, { ts: START + 3_600_000 },
    ]);
    await addPositions(site.pool, ids.get('other'), records);
    const api = await startApi(site);
    for (const order of ['asc', 'desc']) {
      const pages = await allPages<Item>(api, `/v1/devices/356307042441013/positions?${RANGE}&order=${order}&limit=7`);
      expect(pages.slice(0, -1).every((page) => page.length === 7)).toBe(true);
      const keys = pages.flat().map(keyOf);
      const wanted = [...records.map(keyOf), `${START + 1_800_000}/0`, `${START + 1_800_000}/0`];
      expect(keys).toEqual(order === 'asc' ? wanted : wanted.reverse());
    }
  });

  it('have neither gap nor repetition while records come in', async () => {
    const site = await openPrepared(storage);
    const ids = await addDevices(site.pool, '356307042441013');
    const id = ids.get('356307042441013');
    const before = Array.from({ length: 300 }, (_, index) => ({ ts: START + index * 1_000 }));
    await addPositions(site.pool, id, before);
    const api = await startApi(site);
    const seen: string[] = [];
    let cursor = '';
    for (let page = 0; ; page += 1) {
      const { json } = await get(api, `${RANGE}&limit=20${cursor}`);
      const { items, next } = json as PageOf<Item>;
      seen.push(...items.map(keyOf));
      if (next === null) break;
      cursor = `&cursor=${next}`;
      // Late ones before, on and behind the place of the reader.
      const late = (n: number) => ({ ts: START + ((page * 97 + n * 83) % 300) * 1_000, eventId: page * 10 + n });
      await addPositions(site.pool, id, [1, 2, 3].map(late));
    }
    expect(new Set(seen).size).toBe(seen.length);
    expect(before.map(({ ts }) => `${ts}/0`).filter((key) => !seen.includes(key))).toEqual([]);
    expect(seen.map((key) => key.split('/').map(Number))).toEqual(
      seen.map((key) => key.split('/').map(Number)).toSorted(([a = 0, b = 0], [c = 0, d = 0]) => a - c || b - d));
  });
});

describe('pages of records with much in them', () => {
  /** Over 5 MiB each. */
  const large = (n: number): string => JSON.stringify({ log: String(n).repeat(5_500_000) });

  it('end before they are longer than a page may be, and all are there', async () => {
    const opened = await openPrepared();
    const ids = await addDevices(opened.pool, '356307042441013');
    const records = Array.from({ length: 8 }, (_, n) => ({ ts: START + n, attributes: large(n) }));
    await addPositions(opened.pool, ids.get('356307042441013'), records);
    const api = await startApi(opened);
    for (const order of ['asc', 'desc']) {
      const pages = await allPages<Item>(api, `/v1/devices/356307042441013/positions?${RANGE}&limit=7&order=${order}`);
      expect(pages.map(({ length }) => length)).toEqual([3, 3, 2]);
      const times = records.map(({ ts }) => ts);
      expect(pages.flat().map(({ ts }) => ts)).toEqual(order === 'asc' ? times : times.reverse());
    }
  });

  it('have a record that is longer alone', async () => {
    const opened = await openPrepared();
    const ids = await addDevices(opened.pool, '356307042441013');
    const log = 'x'.repeat(MAX_PAGE_BYTES);
    await addPositions(opened.pool, ids.get('356307042441013'), [
      { ts: START }, { ts: START + 1, attributes: JSON.stringify({ log }) }, { ts: START + 2 },
    ]);
    const pages = await allPages<Item>(await startApi(opened), `/v1/devices/356307042441013/positions?${RANGE}`);
    expect(pages.map((page) => page.map(({ ts }) => ts - START))).toEqual([[0], [1], [2]]);
  });
});

describe('a page of a history', () => {
  async function site() {
    const opened = await openPrepared();
    const ids = await addDevices(opened.pool, '356307042441013');
    await addPositions(opened.pool, ids.get('356307042441013'), [
      { ts: START, altitude: 34.5, attributes: ATTRIBUTES },
      { ts: START + 1_000, latitude: null, longitude: null, altitude: null, speed: null },
    ]);
    return startApi(opened);
  }

  it('has positions as the live feed has them, and no number is rounded', async () => {
    const api = await site();
    const { text, json } = await get(api, RANGE);
    expect(json).toMatchObject({
      from: START, to: START + 3_600_000, next: null,
      items: [
        {
          deviceId: '356307042441013', ts: START, receivedAt: START + 1_000, latitude: 52.5, longitude: 13.4,
          altitude: 34.5, course: 90, speed: 50, satellites: 9, hdop: 0.9, valid: true, priority: 0, eventId: 0,
        },
        { ts: START + 1_000, latitude: null, longitude: null, speed: null, valid: false, attributes: {} },
      ],
    });
    expect(text).toContain('"io1": {"__bigint": "18446744073709551615"}');
    expect(text).toContain('"power": 12.30');
    expect(text).toContain('"big": 12345678901234567890.5');
  });

  it('has the fields and attributes that were asked for, and the time', async () => {
    const api = await site();
    const { json } = await get(api, `${RANGE}&fields=speed,time,attributes.ignition,attributes.io1,attributes.none`);
    expect((json as PageOf<Item>).items).toEqual([
      {
        ts: START, speed: 50, time: '2026-05-04T10:00:00.000Z',
        attributes: { ignition: true, io1: { __bigint: '18446744073709551615' } },
      },
      { ts: START + 1_000, speed: null, time: '2026-05-04T10:00:01.000Z', attributes: {} },
    ]);
  });

  it('names the next one in the body and in the header Link', async () => {
    const api = await site();
    const { json, headers } = await get(api, `${RANGE}&limit=1`);
    const { next } = json as PageOf<Item>;
    const link = /^<(.*)>; rel="next"$/.exec(headers.get('link') ?? '')?.[1] ?? '';
    const following = await api.ask(link);
    expect(next).not.toBeNull();
    expect((following.json as PageOf<Item>).items).toMatchObject([{ ts: START + 1_000 }]);
    expect(following.headers.get('link')).toBeNull();
  });

  it('keeps its range over pages when that was not given', async () => {
    const opened = await openPrepared();
    const ids = await addDevices(opened.pool, '356307042441013');
    const now = Date.now();
    const times = [now - 86_300_000, now - 60_000, now - 86_500_000];
    await addPositions(opened.pool, ids.get('356307042441013'), times.map((ts) => ({ ts })));
    const api = await startApi(opened);
    const first = (await get(api, 'limit=1&order=desc')).json as PageOf<Item> & { from: number; to: number };
    const second = (await get(api, `limit=1&order=desc&cursor=${first.next}`)).json as typeof first;
    expect([first, second].map(({ items }) => items.map(({ ts }) => ts))).toEqual([[now - 60_000], [now - 86_300_000]]);
    expect(second).toMatchObject({ from: first.from, to: first.to, next: null });
    expect(first.to - first.from).toBe(86_400_000);
  });

  it('is 304 for whoever has it already', async () => {
    const api = await site();
    const { headers } = await get(api, RANGE);
    const again = await get(api, RANGE, { 'if-none-match': headers.get('etag') ?? '' });
    expect(again.status).toBe(304);
    expect(again.text).toBe('');
    expect((await get(api, `${RANGE}&limit=1`, { 'if-none-match': headers.get('etag') ?? '' })).status).toBe(200);
  });

  it.each([
    ['from=yesterday', 'query.from'], ['to=2026-02-30', 'query.to'], ['from=2026-05-04T10:00', 'query.from'],
    ['from=2026-05-05&to=2026-05-05', 'query.from'], ['from=99999-01-01', 'query.from'], ['from=9999999999999999', 'query.from'],
    ['limit=0', 'query.limit'], ['limit=10001', 'query.limit'], ['limit=1.5', 'query.limit'],
    ['cursor=nonsense', 'query.cursor'], [`cursor=${Buffer.from('["999999999999999999",0,0,1,"asc"]').toString('base64url')}`, 'query.cursor'],
    ['fields=colour', 'query.fields[0]'], ['fields=attributes.%00', 'query.fields'], ['fields=', 'query.fields'],
    ['simplify=0m', 'query.simplify'], ['simplify=1', 'query.simplify'], ['simplify=10km', 'query.simplify'],
    ['format=xml', 'query.format'], ['order=up', 'query.order'],
    ['format=csv&limit=5', 'query.limit'], ['format=gpx&fields=speed', 'query.fields'], ['simplify=10&limit=5', 'query.limit'],
  ])('%s is refused, and the refusal names %s', async (query, field) => {
    const api = await startApi(await openPrepared());
    expect(refusal(await get(api, query))).toMatchObject({ status: 400, code: 'invalid_request', fields: [field] });
  });

  it('of a device that does not exist is 404', async () => {
    const api = await startApi(await openPrepared());
    expect(refusal(await get(api, RANGE))).toMatchObject({ status: 404, code: 'not_found' });
  });
});
