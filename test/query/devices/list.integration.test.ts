import { describe, expect, it } from 'vitest';
import type { PageOf, TestApi } from '../support.ts';
import { addDevices, addPositions, allPages, openPrepared, refreshStates, refusal, startApi } from '../support.ts';

interface Item {
  readonly deviceId: string;
  readonly status: string;
  readonly [field: string]: unknown;
}

const idsOf = (items: readonly Item[]): string[] => items.map(({ deviceId }) => deviceId);

async function list(api: TestApi, query = ''): Promise<PageOf<Item>> {
  const { status, json, text } = await api.ask(`/v1/devices${query}`);
  expect(status, text).toBe(200);
  return json as PageOf<Item>;
}

/** b is online, a has been silent for an hour, c has never sent anything. */
async function openFleet() {
  const site = await openPrepared();
  const ids = await addDevices(site.pool, 'b', 'a', 'c');
  const now = Date.now();
  await addPositions(site.pool, ids.get('b'), [
    { ts: now - 60_000, latitude: 1, longitude: 2, attributes: '{"power": 12.30}' }, { ts: now - 30_000, latitude: null, longitude: null },
  ]);
  await addPositions(site.pool, ids.get('a'), [{ ts: now - 3_600_000 }]);
  await refreshStates(site.pool);
  const { rows } = await site.pool.query<{ id: string }>("insert into groups (name) values ('north') returning id::text");
  const groupId = rows[0]?.id ?? '';
  await site.pool.query(
    `insert into group_devices (group_id, device_id, valid_from, valid_to) values
     ($1, $2, now() - interval '1 day', null), ($1, $3, now() - interval '1 day', now() - interval '1 hour'), ($1, $4, now() + interval '1 hour', null)`,
    [groupId, ids.get('b'), ids.get('a'), ids.get('c')]);
  return { api: await startApi(site), site, now, groupId };
}

describe('the list of devices', () => {
  it('has each with its status and its newest record at its last known place', async () => {
    const { api, now } = await openFleet();
    const { items, next, total } = await list(api);
    expect([idsOf(items), next, total]).toEqual([['a', 'b', 'c'], null, 3]);
    expect(items[1]).toMatchObject({
      deviceId: 'b', name: 'Name of b', protocol: 'teltonika', model: null, enabled: true, status: 'online',
      lastSeenAt: now - 29_000, firstTs: now - 60_000, records: 2,
      position: {
        deviceId: 'b', ts: now - 30_000, receivedAt: now - 29_000, latitude: 1, longitude: 2, valid: false, attributes: {}, fixTs: now - 60_000,
      },
    });
    expect(items[0]).toMatchObject({ status: 'offline' });
    expect(items[2]).toMatchObject({ status: 'never', lastSeenAt: null, firstTs: null, records: 0, position: null });
  });

  it.each([
    ['?q=NAME%20OF%20A', ['a']], ['?q=%25', []], ['?q=_', []], ['?status=online', ['b']], ['?status=offline', ['a']],
    ['?status=never', ['c']], ['?status=online&q=a', ['b']], ['?status=offline&q=b', []],
    ['?group=00000000-0000-4000-8000-000000000000', []],
  ])('filtered by %s has %j and their total', async (query, wanted) => {
    const { api } = await openFleet();
    const { items, total } = await list(api, query);
    expect([idsOf(items), total]).toEqual([wanted, wanted.length]);
  });

  it('filtered by group has those that are in it now', async () => {
    const { api, groupId } = await openFleet();
    expect(idsOf((await list(api, `?group=${groupId}`)).items)).toEqual(['b']);
  });

  it.each([
    ['deviceId', ['a', 'b', 'c']], ['-deviceId', ['c', 'b', 'a']], ['name', ['a', 'b', 'c']], ['lastSeenAt', ['c', 'a', 'b']],
    ['-lastSeenAt', ['b', 'a', 'c']], ['createdAt', ['b', 'a', 'c']], ['-createdAt', ['c', 'a', 'b']],
  ])('is sorted by %s, over pages too', async (sort, wanted) => {
    const { api } = await openFleet();
    expect(idsOf((await list(api, `?sort=${sort}`)).items)).toEqual(wanted);
    const pages = await allPages<Item>(api, `/v1/devices?sort=${sort}&limit=1`);
    expect(pages.map(idsOf)).toEqual(wanted.map((id) => [id]));
  });

  it('over pages has each device once while others are registered', async () => {
    const { api, site } = await openFleet();
    await addDevices(site.pool, ...Array.from({ length: 60 }, (_, index) => `x${String(index * 7).padStart(3, '0')}`));
    const seen: string[] = [];
    let query = '?limit=9';
    for (let page = 0; ; page += 1) {
      const { items, next, total } = await list(api, query);
      expect(total === null).toBe(page > 0);
      seen.push(...idsOf(items));
      if (next === null) break;
      query = `?limit=9&cursor=${next}`;
      await addDevices(site.pool, `x${String(page * 50 + 1).padStart(3, '0')}`);
    }
    expect(new Set(seen).size).toBe(seen.length);
    expect(seen).toEqual(seen.toSorted());
    expect(seen.length).toBeGreaterThanOrEqual(63);
  });

  it.each([
    ['?status=asleep', 'query.status'], ['?group=north', 'query.group'], ['?sort=colour', 'query.sort'], ['?limit=1001', 'query.limit'],
    ['?q=', 'query.q'], ['?q=%00', 'query.q'], ['?cursor=abc', 'query.cursor'],
    [`?sort=createdAt&cursor=${Buffer.from('["createdAt","x","1"]').toString('base64url')}`, 'query.cursor'],
    [`?sort=name&cursor=${Buffer.from('["deviceId","x","1"]').toString('base64url')}`, 'query.cursor'],
  ])('%s is refused, and the refusal names %s', async (query, field) => {
    const api = await startApi(await openPrepared());
    expect(refusal(await api.ask(`/v1/devices${query}`))).toMatchObject({ status: 400, fields: [field] });
  });
});

describe('a device', () => {
  it('is as in the list, and 304 for whoever has it already', async () => {
    const { api } = await openFleet();
    const answer = await api.ask('/v1/devices/b');
    expect(answer.json).toEqual((await list(api, '?q=name+of+b')).items[0]);
    const etag = answer.headers.get('etag') ?? '';
    expect((await api.ask('/v1/devices/b', { headers: { 'if-none-match': etag } })).status).toBe(304);
    expect((await api.ask('/v1/devices/b', { headers: { 'if-none-match': `"other", ${etag.replace('W/', '')}` } })).status).toBe(304);
    expect((await api.ask('/v1/devices/a', { headers: { 'if-none-match': etag } })).status).toBe(200);
  });

  it('has another ETag after its next record', async () => {
    const { api, site } = await openFleet();
    const before = (await api.ask('/v1/devices/b')).headers.get('etag');
    await site.pool.query('update device_state set records = records + 1');
    expect((await api.ask('/v1/devices/b')).headers.get('etag')).not.toBe(before);
  });

  it('may have an identifier with any characters, as long as one can be', async () => {
    const site = await openPrepared();
    const deviceIds = ['a/b?c#d e', '%2e%2e', 'Lkw Ümläut \u{1F69A}', 'x'.repeat(128), 'ü'.repeat(128)];
    await addDevices(site.pool, ...deviceIds);
    const api = await startApi(site);
    for (const deviceId of deviceIds) {
      const path = `/v1/devices/${encodeURIComponent(deviceId)}`;
      expect((await api.ask(path)).json).toMatchObject({ deviceId });
      expect((await api.ask(`${path}/positions`)).json).toMatchObject({ items: [] });
    }
  });

  it('that does not exist is 404', async () => {
    const api = await startApi(await openPrepared());
    expect(refusal(await api.ask('/v1/devices/none'))).toMatchObject({ status: 404, code: 'not_found' });
  });
});

describe('the list of groups', () => {
  it('has the number of members at the moment, over pages too', async () => {
    const { api, site, groupId } = await openFleet();
    await site.pool.query("insert into groups (name, kind) values ('empty', 'event')");
    const pages = await allPages<{ id: string; name: string }>(api, '/v1/groups?limit=1');
    expect(pages.map((page) => page.length)).toEqual([1, 1]);
    const groups = pages.flat().toSorted((a, b) => a.name.localeCompare(b.name));
    expect(groups).toEqual([
      { id: expect.any(String) as string, name: 'empty', kind: 'event', devices: 0 }, { id: groupId, name: 'north', kind: 'fleet', devices: 1 },
    ]);
  });
});
