import { describe, expect, it } from 'vitest';
import { squaredDistance } from '../../../../src/query/history/simplify/plane.ts';
import type { TestApi } from '../../support.ts';
import { STORAGES, addDevices, addPositions, allPages, openPrepared, startApi } from '../../support.ts';

const START = Date.parse('2026-05-04T00:00:00Z');
const PATH = '/v1/devices/car/positions?from=2026-05-04&to=2026-05-05';

interface Item {
  readonly ts: number;
  readonly latitude: number;
  readonly longitude: number;
}

const COUNT = 4_000;
/** A winding road, with a stop and with records without a fix. */
const TRACK = Array.from({ length: COUNT }, (_, index) => {
  const step = Math.min(index, 2_000) + Math.max(0, index - 2_500);
  const hasFix = index % 50 !== 49;
  return {
    ts: START + index * 10_000,
    latitude: hasFix ? 52 + Math.sin(step / 60) * 0.02 : null,
    longitude: hasFix ? 13 + step * 0.0001 : null,
  };
});
const FIXES = TRACK.filter((one): one is Item => one.latitude !== null);

async function openApi(storage: (typeof STORAGES)[number]): Promise<TestApi> {
  const site = await openPrepared(storage);
  const ids = await addDevices(site.pool, 'car');
  await addPositions(site.pool, ids.get('car'), TRACK);
  return startApi(site);
}

/** The greatest distance of any record with a fix from the line that is left, metres. */
function worstOffset(left: readonly Item[]): number {
  const latitudes = FIXES.map(({ latitude }) => latitude);
  const longitudes = FIXES.map(({ longitude }) => longitude);
  const at = left.map(({ ts }) => FIXES.findIndex((one) => one.ts === ts));
  let worst = 0;
  for (let piece = 1; piece < at.length; piece += 1) {
    const [first = 0, last = 0] = [at[piece - 1], at[piece]];
    for (let index = first + 1; index < last; index += 1) {
      worst = Math.max(worst, squaredDistance({ latitudes, longitudes }, index, first, last));
    }
  }
  return Math.sqrt(worst);
}

const inLines = (text: string): Item[] => text.trim().split('\n').map((line) => JSON.parse(line) as Item);

describe.each(STORAGES)('a simplified history in %s', (storage) => {
  it('is within its tolerance over all batches, and much shorter', async () => {
    const api = await openApi(storage);
    const { text } = await api.ask(`${PATH}&format=ndjson&simplify=20m`);
    const left = inLines(text);
    expect([left[0]?.ts, left.at(-1)?.ts]).toEqual([FIXES[0]?.ts, FIXES.at(-1)?.ts]);
    expect(left.length).toBeLessThan(COUNT / 10);
    expect(worstOffset(left)).toBeLessThanOrEqual(20);
  });

  it('is within its tolerance over all pages', async () => {
    const api = await openApi(storage);
    const pages = await allPages<Item>(api, `${PATH}&simplify=20m&limit=25`);
    const left = pages.flat();
    expect(pages.length).toBeGreaterThan(3);
    expect(new Set(left.map(({ ts }) => ts)).size).toBe(left.length);
    expect(left.at(-1)?.ts).toBe(FIXES.at(-1)?.ts);
    expect(worstOffset(left)).toBeLessThanOrEqual(20);
  });

  it.each(['asc', 'desc'])('to a number of positions has that many, %sending', async (order) => {
    const api = await openApi(storage);
    const { json } = await api.ask(`${PATH}&simplify=1500&order=${order}&fields=latitude,longitude`);
    const { items, next } = json as { items: Item[]; next: string | null };
    const left = order === 'asc' ? items : items.toReversed();
    expect(next).toBeNull();
    expect(left).toHaveLength(1_500);
    expect(left.map(({ ts }) => ts)).toEqual(left.map(({ ts }) => ts).toSorted((a, b) => a - b));
    expect(worstOffset(left)).toBeLessThan(5);
  });

  it('to more positions than there are has all that have a fix', async () => {
    const api = await openApi(storage);
    const { text } = await api.ask(`${PATH}&simplify=5000&format=ndjson`);
    expect(inLines(text).map(({ ts }) => ts)).toEqual(FIXES.map(({ ts }) => ts));
  });
});
