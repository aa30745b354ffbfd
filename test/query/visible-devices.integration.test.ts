import { describe, expect, it } from 'vitest';
import { Problem } from '../../src/http/problem.ts';
import type { Visibility } from '../../src/http/caller.ts';
import { eventually } from '../support/eventually.ts';
import type { PageOf, TestApi } from './support.ts';
import { addDevices, addPositions, allPages, openPrepared, refreshStates, refusal, startApi } from './support.ts';

interface Item {
  readonly deviceId: string;
}

const FLEET = ['mine', 'ours', 'theirs', 'former', 'silent'];

/** An authority that is asked about each device, and about each group. */
function asking(isDevice: (id: string) => boolean, isGroup: (id: string) => boolean = () => false): Visibility {
  const among = (isOne: (id: string) => boolean) => async (ids: readonly string[]) => new Set(ids.filter(isOne));
  return { kind: 'asked', readable: among(isDevice), readableGroups: among(isGroup) };
}

/** `ours` is in a group, `former` was. */
async function openFleet() {
  const site = await openPrepared();
  const ids = await addDevices(site.pool, ...FLEET);
  for (const [deviceId, id] of ids) if (deviceId !== 'silent') await addPositions(site.pool, id, [{ ts: Date.now() - 60_000 }]);
  await refreshStates(site.pool);
  const { rows } = await site.pool.query<{ id: string }>("insert into groups (name) values ('ours'), ('theirs') returning id::text");
  const [ours = '', theirs = ''] = rows.map(({ id }) => id);
  await site.pool.query(
    `insert into group_devices (group_id, device_id, valid_from, valid_to) values
     ($1, $3, '2026-01-01', null), ($1, $4, '2026-01-01', '2026-02-01'), ($2, $3, '2026-01-01', null), ($2, $5, '2026-01-01', null)`,
    [ours, theirs, ids.get('ours'), ids.get('former'), ids.get('theirs')]);
  return { site, ours, theirs };
}

async function everything(api: TestApi, as: string) {
  const names = (items: readonly Item[]): string[] => items.map(({ deviceId }) => deviceId);
  const { items, total } = (await api.ask('/v1/devices', { as })).json as PageOf<Item>;
  const latest = (await api.ask('/v1/positions/latest', { as })).json as PageOf<Item>;
  const status: Record<string, [number, number]> = {};
  for (const deviceId of [...FLEET, 'none']) {
    const [device, history] = await Promise.all([
      api.ask(`/v1/devices/${deviceId}`, { as }), api.ask(`/v1/devices/${deviceId}/positions`, { as }),
    ]);
    status[deviceId] = [device.status, history.status];
  }
  const answeredBy = (wanted: number): string[] =>
    Object.keys(status).filter((deviceId) => status[deviceId]?.every((code) => code === wanted)).toSorted();
  return { list: names(items), total, latest: names(latest.items), seen: answeredBy(200), unseen: answeredBy(404) };
}

describe('a caller', () => {
  it.each([
    ['some devices', (): Visibility => ({ kind: 'granted', devices: ['mine', 'silent', 'none'], groups: [] }), ['mine', 'silent']],
    ['a group', (ours: string): Visibility => ({ kind: 'granted', devices: [], groups: [ours] }), ['ours']],
    ['a group and a device of it', (ours: string): Visibility => ({ kind: 'granted', devices: ['ours', 'mine'], groups: [ours] }), ['mine', 'ours']],
    ['nothing', (): Visibility => ({ kind: 'granted', devices: [], groups: [] }), []],
    ['what an authority says', (): Visibility => asking((id) => id === 'theirs'), ['theirs']],
    ['all', (): Visibility => ({ kind: 'all' }), FLEET],
  ])('to whom %s is granted sees these and no trace of others', async (_what, visibility, wanted) => {
    const { site, ours } = await openFleet();
    const api = await startApi(site, { callers: { viewer: visibility(ours) } });
    const seen = wanted.toSorted();
    expect(await everything(api, 'viewer')).toEqual({
      list: seen, total: wanted.length, seen, unseen: [...FLEET, 'none'].filter((id) => !wanted.includes(id)).toSorted(),
      latest: FLEET.filter((id) => id !== 'silent' && wanted.includes(id)),
    });
  });

  it('finds, filters and counts only what he sees', async () => {
    const { site, ours, theirs } = await openFleet();
    const api = await startApi(site, { callers: { viewer: { kind: 'granted', devices: ['mine'], groups: [ours] } } });
    const ask = async (path: string): Promise<unknown> => (await api.ask(path, { as: 'viewer' })).json;
    expect(await ask('/v1/devices?q=theirs')).toMatchObject({ items: [], total: 0 });
    expect(await ask(`/v1/devices?group=${theirs}`)).toMatchObject({ items: [{ deviceId: 'ours' }], total: 1 });
    expect(await ask('/v1/positions/latest?devices=theirs,mine')).toMatchObject({ items: [{ deviceId: 'mine' }] });
    expect(await ask('/v1/positions/latest?bbox=-180,-90,180,90')).toMatchObject({ items: [{ deviceId: 'mine' }, { deviceId: 'ours' }] });
    expect(await ask('/v1/groups')).toEqual({ items: [{ id: ours, name: 'ours', kind: 'fleet', devices: 1 }], next: null });
    expect((await allPages<Item>(api, '/v1/devices?limit=1', 'viewer')).flat().map(({ deviceId }) => deviceId)).toEqual(['mine', 'ours']);
  });

  it('whose groups an authority decides on sees those that it lets him read, and their devices that he sees', async () => {
    const { site, ours, theirs } = await openFleet();
    const [oneOfThem] = [ours, theirs].toSorted();
    const ofAll: Visibility = { kind: 'all', readableGroups: async () => new Set([ours]) };
    const callers = {
      both: asking((id) => id === 'theirs', () => true), one: asking(() => true, (id) => id === oneOfThem),
      none: asking(() => true), ofAll,
    };
    const api = await startApi(site, { callers });
    const groups = async (as: string): Promise<unknown> =>
      (await allPages<{ id: string; devices: number }>(api, '/v1/groups?limit=1', as)).flat().map(({ id, devices }) => [id, devices]);
    expect(await groups('both')).toEqual([[ours, 0], [theirs, 1]].toSorted());
    expect(await groups('one')).toEqual([[oneOfThem, oneOfThem === ours ? 1 : 2]]);
    expect(await groups('none')).toEqual([]);
    expect(await groups('ofAll')).toEqual([[ours, 1]]);
    const totals = async (group: string, as: string): Promise<number> =>
      (await api.ask(`/v1/totals?groups=${group}`, { as })).status;
    // Of the same devices and the same group, so with the same entry of the cache.
    expect(await totals(ours, 'admin')).toBe(200);
    expect(await totals(ours, 'ofAll')).toBe(200);
    expect(await totals(theirs, 'admin')).toBe(200);
    expect(await totals(theirs, 'ofAll')).toBe(404);
    expect(await totals(theirs.toUpperCase(), 'both')).toBe(200);
    expect(await totals(ours, 'none')).toBe(404);
  });

  it('is shown the groups of an authority however many there are before them', async () => {
    const { site } = await openFleet();
    const { rows } = await site.pool.query<{ id: string }>(
      "insert into groups (name) select 'group ' || n from generate_series(1, 2500) n returning id::text");
    const sorted = rows.map(({ id }) => id).toSorted();
    const readable = new Set([...sorted.slice(0, 2), ...sorted.slice(-2)]);
    const api = await startApi(site, { callers: { viewer: asking(() => true, (id) => readable.has(id)) } });
    const pages = await allPages<{ id: string }>(api, '/v1/groups?limit=3', 'viewer');
    expect(pages.map((page) => page.map(({ id }) => id))).toEqual([[...readable].slice(0, 3), [...readable].slice(3)]);
  });

  it('is asked about a bounded number of groups for a page, and a page without any is not the last', async () => {
    const { site } = await openFleet();
    const { rows } = await site.pool.query<{ id: string }>(
      "insert into groups (name) select 'group ' || n from generate_series(1, 7000) n returning id::text");
    const last = rows.map(({ id }) => id).toSorted().at(-1);
    const questions: number[] = [];
    const readableGroups = async (ids: readonly string[]): Promise<ReadonlySet<string>> => {
      questions.push(ids.length);
      return new Set(ids.filter((id) => id === last));
    };
    const api = await startApi(site, { callers: { viewer: { kind: 'all', readableGroups } } });
    const [first = [], second = [], ...others] = await allPages<{ id: string }>(api, '/v1/groups', 'viewer');
    expect([first, second.map(({ id }) => id), others]).toEqual([[], [last], []]);
    expect(questions).toEqual([1_000, 1_000, 1_000, 1_000, 1_000, 1_000, 1_000, 2]);
  });

  it('has no answer with the ETag of another one', async () => {
    const { site } = await openFleet();
    const api = await startApi(site, { callers: { viewer: { kind: 'granted', devices: ['mine'], groups: [] } } });
    const etag = (await api.ask('/v1/devices')).headers.get('etag') ?? '';
    expect((await api.ask('/v1/devices', { as: 'viewer', headers: { 'if-none-match': etag } })).status).toBe(200);
    expect((await api.ask('/v1/devices', { as: 'viewer' })).headers.get('cache-control')).toBe('private, no-cache');
  });

  it('sees what is granted to him at once, and what leaves his group no longer than some seconds', async () => {
    const { site, ours } = await openFleet();
    const grants = { kind: 'granted' as const, devices: [] as string[], groups: [ours] };
    const api = await startApi(site, { callers: { viewer: grants } });
    expect((await api.ask('/v1/devices/mine', { as: 'viewer' })).status).toBe(404);
    grants.devices.push('mine');
    expect((await api.ask('/v1/devices/mine', { as: 'viewer' })).status).toBe(200);
    await site.pool.query('update group_devices set valid_to = now() where valid_to is null');
    await eventually(async () => (await api.ask('/v1/devices/ours', { as: 'viewer' })).status === 404);
  });

  it('is refused while the authority cannot be asked, in every question', async () => {
    const { site } = await openFleet();
    const readable = (): Promise<never> => Promise.reject(new Problem('authority_unavailable', 'it does not answer', { retryAfterSeconds: 5 }));
    const api = await startApi(site, { callers: { viewer: { kind: 'asked', readable, readableGroups: readable } } });
    for (const path of ['/v1/devices', '/v1/devices/mine', '/v1/devices/mine/positions', '/v1/positions/latest', '/v1/groups']) {
      expect(refusal(await api.ask(path, { as: 'viewer' }))).toMatchObject({ status: 503, code: 'authority_unavailable' });
    }
  });

  it('is asked about once for equal questions of a moment', async () => {
    const { site } = await openFleet();
    let questions = 0;
    const readable = async (ids: readonly string[]): Promise<ReadonlySet<string>> => {
      questions += 1;
      return new Set(ids);
    };
    const api = await startApi(site, { callers: { viewer: { kind: 'asked', readable, readableGroups: readable } } });
    await Promise.all(Array.from({ length: 10 }, () => api.ask('/v1/devices', { as: 'viewer' })));
    expect(questions).toBe(1);
  });

  it('who is none is refused', async () => {
    const api = await startApi(await openPrepared());
    expect(refusal(await api.ask('/v1/devices', { as: 'nobody' }))).toMatchObject({ status: 401 });
  });
});
