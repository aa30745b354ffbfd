import { describe, expect, it } from 'vitest';
import { holdTransaction } from '../../core/support.ts';
import { eventually } from '../../support/eventually.ts';
import type { PageOf, TestApi } from '../support.ts';
import { addDevices, addPositions, allPages, openPrepared, questionsAtALock, refreshStates, refusal, startApi } from '../support.ts';

interface Item {
  readonly deviceId: string;
  readonly [field: string]: unknown;
}

const PLACES: Readonly<Record<string, readonly [latitude: number | null, longitude: number | null]>> = {
  berlin: [52.52, 13.405], potsdam: [52.4, 13.06], paris: [48.857, 2.352],
  fiji: [-17.8, 178], samoa: [-13.8, -171.8], lost: [null, null], 'with,comma': [0, 0],
};

async function openApi() {
  const site = await openPrepared();
  const ids = await addDevices(site.pool, ...Object.keys(PLACES), 'silent');
  for (const [deviceId, [latitude, longitude]] of Object.entries(PLACES)) {
    const record = { ts: '2026-05-04T10:00:00Z', latitude, longitude, attributes: '{"power": 12.30}' };
    await addPositions(site.pool, ids.get(deviceId), [record]);
  }
  await refreshStates(site.pool);
  const { rows } = await site.pool.query<{ id: string }>("insert into groups (name) values ('germany') returning id::text");
  const groupId = rows[0]?.id ?? '';
  await site.pool.query(
    "insert into group_devices (group_id, device_id) select $1, id from devices where unique_id in ('berlin', 'potsdam')",
    [groupId]);
  return { api: await startApi(site), site, groupId };
}

async function namesOf(api: TestApi, query: string): Promise<string[]> {
  const { status, json, text } = await api.ask(`/v1/positions/latest${query}`);
  expect(status, text).toBe(200);
  return (json as PageOf<Item>).items.map(({ deviceId }) => deviceId);
}

describe('the latest positions', () => {
  it('are those of all devices that have sent any, at their last known place', async () => {
    const { api, site } = await openApi();
    await addPositions(site.pool, 1, [{ ts: '2026-05-04T11:00:00Z', latitude: null, longitude: null, speed: null }]);
    await site.pool.query('delete from device_state');
    await refreshStates(site.pool);
    const { json, text } = await api.ask('/v1/positions/latest');
    const { items, next } = json as PageOf<Item>;
    expect([items.map(({ deviceId }) => deviceId), next]).toEqual([Object.keys(PLACES), null]);
    expect(items[0]).toEqual({
      deviceId: 'berlin', ts: Date.parse('2026-05-04T11:00:00Z'), receivedAt: Date.parse('2026-05-04T11:00:01Z'),
      latitude: 52.52, longitude: 13.405, altitude: 34, course: 90, speed: 50, satellites: 9, hdop: 0.9,
      valid: false, priority: 0, eventId: 0, attributes: {}, fixTs: Date.parse('2026-05-04T10:00:00Z'),
    });
    expect(items.find(({ deviceId }) => deviceId === 'lost')).toMatchObject({ latitude: null, longitude: null, fixTs: null });
    expect(text).toContain('"power": 12.30');
  });

  it.each([
    ['?devices=paris,berlin,none', ['berlin', 'paris']], ['?device=with,comma&device=paris', ['paris', 'with,comma']],
    ['?device=with,comma&devices=berlin', ['berlin', 'with,comma']],
    ['?bbox=13,52,14,53', ['berlin', 'potsdam']], ['?bbox=177,-20,-170,-10', ['fiji', 'samoa']],
    ['?bbox=-180,-90,180,90&devices=lost,fiji', ['fiji']],
    ['?circle=13.4,52.5,3000', ['berlin']], ['?circle=13.4,52.5,30000', ['berlin', 'potsdam']],
    ['?circle=-179,-16,1100000', ['fiji', 'samoa']],
    ['?circle=2.352,48.857,0', ['paris']],
    ['?polygon=2,48,3,48,2.5,50', ['paris']], ['?polygon=12.9,52.3,13.2,52.3,13.2,52.6,12.9,52.6', ['potsdam']],
  ])('%s are of %j', async (query, wanted) => {
    const { api } = await openApi();
    expect(await namesOf(api, query)).toEqual(wanted);
  });

  it.each(['circle=0,0,10', 'circle=0.3,0.3,60000', 'polygon=0,-1,0.3,1,-0.3,1'])('%s has devices that are next to nothing off the zero', async (area) => {
    const site = await openPrepared();
    const ids = await addDevices(site.pool, 'next');
    await addPositions(site.pool, ids.get('next'), [{ ts: '2026-05-04T10:00:00Z', latitude: 5e-324, longitude: -1e-200 }]);
    await refreshStates(site.pool);
    expect(await namesOf(await startApi(site), `?${area}`)).toEqual(['next']);
  });

  it('of a group are those of its members now', async () => {
    const { api, groupId } = await openApi();
    expect(await namesOf(api, `?group=${groupId}`)).toEqual(['berlin', 'potsdam']);
    expect(await namesOf(api, `?group=${groupId}&circle=13.4,52.5,3000`)).toEqual(['berlin']);
  });

  it('come in pages, each device once', async () => {
    const { api } = await openApi();
    const pages = await allPages<Item>(api, '/v1/positions/latest?limit=2');
    expect(pages.flat().map(({ deviceId }) => deviceId)).toEqual(Object.keys(PLACES));
  });

  it('have the fields that were asked for', async () => {
    const { api } = await openApi();
    const { json } = await api.ask('/v1/positions/latest?devices=berlin&fields=deviceId,speed,attributes.power');
    const ts = Date.parse('2026-05-04T10:00:00Z');
    expect((json as PageOf<Item>).items).toEqual([{ ts, deviceId: 'berlin', speed: 50, fixTs: ts, attributes: { power: 12.3 } }]);
  });

  it('as GeoJSON are features, with the cursor of the next page', async () => {
    const { api } = await openApi();
    const answer = await api.ask('/v1/positions/latest?limit=1&fields=deviceId', { headers: { accept: 'application/geo+json' } });
    expect(answer.headers.get('content-type')).toBe('application/geo+json; charset=utf-8');
    const { next, ...collection } = answer.json as { next: string };
    const ts = Date.parse('2026-05-04T10:00:00Z');
    expect(collection).toEqual({
      type: 'FeatureCollection',
      features: [{
        type: 'Feature', geometry: { type: 'Point', coordinates: [13.405, 52.52, 34] },
        properties: { ts, deviceId: 'berlin', fixTs: ts },
      }],
    });
    expect(await namesOf(api, `?limit=1&cursor=${next}`)).toEqual(['potsdam']);
  });

  it.each([
    ['?bbox=1,2,3', 'query.bbox'], ['?bbox=0,10,1,5', 'query.bbox'], ['?bbox=0,0,181,1', 'query.bbox'], ['?bbox=a,b,c,d', 'query.bbox'],
    ['?circle=0,0,-1', 'query.circle'], ['?circle=0,91,5', 'query.circle'],
    ['?polygon=1,1,2,2', 'query.polygon'], ['?polygon=1,1,2,2,3', 'query.polygon'],
    ['?bbox=0,0,1,1&circle=0,0,1', 'query.circle'], ['?limit=10001', 'query.limit'], ['?cursor=x', 'query.cursor'],
    ['?format=csv', 'query.format'],
    ['?devices=', 'query.devices'], ['?device=', 'query.device'], ['?group=x', 'query.group'],
  ])('%s are refused, and the refusal names %s', async (query, field) => {
    const api = await startApi(await openPrepared());
    const { status, fields } = refusal(await api.ask(`/v1/positions/latest${query}`));
    expect(status).toBe(400);
    expect(fields[0]).toContain(field);
  });

  it('of 1,000 devices are there within 50 ms', async () => {
    const site = await openPrepared();
    await site.pool.query(`
      insert into devices (unique_id) select 'device-' || n from generate_series(1, 1000) n;
      insert into positions (device_id, ts, received_at, latitude, longitude, valid, attributes)
        select id, now(), now(), 52, 13, true, '{"ignition": true, "power": 12.5, "odometer": 123456789}' from devices`);
    await refreshStates(site.pool);
    const api = await startApi(site);
    const durations: number[] = [];
    for (let round = 0; round < 20; round += 1) {
      const startedAt = performance.now();
      const { json } = await api.ask('/v1/positions/latest');
      durations.push(performance.now() - startedAt);
      expect((json as PageOf<Item>).items).toHaveLength(1_000);
    }
    // The median: other tests share the machine.
    expect(durations.toSorted((a, b) => a - b)[10]).toBeLessThan(50);
  });
});

describe('the same question about the latest positions', () => {
  const callers = {
    one: { kind: 'granted', devices: ['berlin', 'fiji'], groups: [] },
    two: { kind: 'granted', devices: ['fiji', 'berlin'], groups: [] },
    other: { kind: 'granted', devices: ['paris'], groups: [] },
  } as const;

  it('is put once for all who wait for it and see the same, and for nobody who sees something else', async () => {
    const { site } = await openApi();
    const api = await startApi(site, { callers });
    const ask = (as: string, query = ''): Promise<string[]> => api.ask(`/v1/positions/latest${query}`, { as })
      .then(({ json }) => (json as PageOf<Item>).items.map(({ deviceId }) => deviceId));
    const held = await holdTransaction(site.pool, 'lock table device_state in access exclusive mode');
    const asked = [ask('one'), ask('two'), ask('one'), ask('other'), ask('one', '?limit=1')];
    await eventually(async () => (await questionsAtALock(site.pool)) === 3);
    await held.end();
    const both = ['berlin', 'fiji'];
    expect(await Promise.all(asked)).toEqual([both, both, both, ['paris'], ['berlin']]);
    expect(await api.registry.metrics())
      .toMatch(/^odograph_query_question_duration_seconds_count\{question="latest",result="ok"\} 3$/m);
  });

  it('goes on for the others when one of them leaves', async () => {
    const { api, site } = await openApi();
    const held = await holdTransaction(site.pool, 'lock table device_state in access exclusive mode');
    const leaving = new AbortController();
    const url = `${api.url}/v1/positions/latest`;
    const left = fetch(url, { headers: { authorization: 'Bearer admin' }, signal: leaving.signal });
    await eventually(async () => (await questionsAtALock(site.pool)) === 1);
    const stays = api.ask('/v1/positions/latest');
    leaving.abort();
    await expect(left).rejects.toThrow();
    await held.end();
    expect((await stays).status).toBe(200);
  });
});
