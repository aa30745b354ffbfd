/** The list of devices that ingest decides by follows the table `devices`. */
import { expect, test } from 'vitest';
import { publishDeviceList } from '../../src/core/device-list.ts';
import {
  DEVICE_LIST_DIGEST_KEY, DISABLED_DEVICES_KEY, ENABLED_DEVICES_KEY,
} from '../../src/shared/contracts/device-list.ts';
import type { Redis } from '../../src/shared/redis.ts';
import { eventually } from '../support/eventually.ts';
import { allStored, append, frame, openSite, record, startCore } from './support.ts';

async function listOf(redis: Redis): Promise<{ enabled: string[]; disabled: string[] }> {
  const [enabled, disabled] = [await redis.smembers(ENABLED_DEVICES_KEY), await redis.smembers(DISABLED_DEVICES_KEY)];
  return { enabled: enabled.sort(), disabled: disabled.sort() };
}

test('a processor publishes devices, new ones and changes', async () => {
  const site = await openSite();
  await startCore(site);
  const list = (): ReturnType<typeof listOf> => listOf(site.redis);
  await eventually(async () => { expect(await site.redis.exists(DEVICE_LIST_DIGEST_KEY)).toBe(1); });
  expect(await list()).toEqual({ enabled: [], disabled: [] });
  await append(site.redis, frame('a', [record(1)]));
  await allStored(site, 1);
  await site.pool.query('insert into devices (unique_id, enabled) values (\'b\', true), (\'c\', false)');
  await eventually(async () => { expect(await list()).toEqual({ enabled: ['a', 'b'], disabled: ['c'] }); });
  await site.pool.query('update devices set enabled = not enabled');
  await eventually(async () => { expect(await list()).toEqual({ enabled: ['c'], disabled: ['a', 'b'] }); });
  await site.pool.query('delete from devices where unique_id <> \'a\'');
  await eventually(async () => { expect(await list()).toEqual({ enabled: [], disabled: ['a'] }); });
});

test('a list that has not changed is not written again, a list that is gone is', async () => {
  const site = await openSite();
  const running = await startCore(site, { DEVICE_LIST_REFRESH_MS: '3600000' });
  await site.pool.query('insert into devices (unique_id) select \'device \' || n from generate_series(1, 2500) n');
  expect(await publishDeviceList(running.pool, site.redis)).toBe(true);
  expect((await listOf(site.redis)).enabled).toHaveLength(2_500);
  await site.redis.sadd(ENABLED_DEVICES_KEY, 'a mark that a new list would remove');
  expect(await publishDeviceList(running.pool, site.redis)).toBe(false);
  expect((await listOf(site.redis)).enabled).toHaveLength(2_501);
  await site.redis.flushdb();
  expect(await publishDeviceList(running.pool, site.redis)).toBe(true);
  expect((await listOf(site.redis)).enabled).toHaveLength(2_500);
});

test('readers never see half of a list', async () => {
  const site = await openSite();
  const running = await startCore(site, { DEVICE_LIST_REFRESH_MS: '3600000' });
  await site.pool.query('insert into devices (unique_id) select \'device \' || n from generate_series(1, 3000) n');
  await publishDeviceList(running.pool, site.redis);
  const reader = site.redis.duplicate();
  try {
    for (let change = 0; change < 5; change += 1) {
      await site.pool.query('update devices set enabled = not enabled where id <= 1500');
      const publishing = publishDeviceList(running.pool, site.redis);
      const sizes = new Set<number>();
      const look = async (): Promise<void> => {
        const results = await reader.multi().scard(ENABLED_DEVICES_KEY).scard(DISABLED_DEVICES_KEY).exec();
        sizes.add((results ?? []).reduce((sum, [, size]) => sum + Number(size), 0));
      };
      while (await Promise.race([publishing, look().then(() => null)]) === null) await look();
      expect([...sizes]).toEqual([3_000]);
    }
  } finally {
    reader.disconnect();
  }
});
