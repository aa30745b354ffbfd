/** Names of consumers: one per living process, and the same one again after its death. */
import { onTestFinished, expect, test } from 'vitest';
import type { Pool } from 'pg';
import type { ConsumerName } from '../../src/core/consumer-name.ts';
import { takeConsumerName } from '../../src/core/consumer-name.ts';
import { createPool } from '../../src/db/pool.ts';
import { eventually } from '../support/eventually.ts';
import { allStored, append, frame, freshDatabase, openSite, record, settingsOf, startCore } from './support.ts';

async function openPools(count: number): Promise<Pool[]> {
  const url = await freshDatabase();
  const settings = { ...settingsOf({ redisUrl: 'redis://127.0.0.1', postgresUrl: url }), POSTGRES_POOL_SIZE: 2 };
  return Array.from({ length: count }, () => {
    const pool = createPool(settings, url, 'core', () => undefined);
    onTestFinished(() => pool.end());
    return pool;
  });
}

test('processes on one INSTANCE_ID have names of their own', async () => {
  const pools = await openPools(3);
  const names = await Promise.all(pools.map((pool) => takeConsumerName(pool, 'host')));
  expect(names.map(({ name }) => name).sort()).toEqual(['host', 'host-2', 'host-3']);
  for (const name of names) name.release();
});

/** Takes the first name, which a session that is just ending may have for a moment yet. */
async function takeFirst(pool: Pool): Promise<ConsumerName> {
  return eventually(async () => {
    const name = await takeConsumerName(pool, 'host');
    if (name.name === 'host') return name;
    name.release();
    throw new Error(`got ${name.name}`);
  });
}

test('a name is free again when it is released, and when its process dies', async () => {
  const [first, second, third] = await openPools(3) as [Pool, Pool, Pool];
  const released = await takeConsumerName(first, 'host');
  released.release();
  const lost = await takeFirst(second);
  await third.query(`select pg_terminate_backend(pid) from pg_locks
    where locktype = 'advisory' and database = (select oid from pg_database where datname = current_database())`);
  const taken = await takeFirst(third);
  for (const name of [lost, taken]) name.release();
});

test('an attempt that fails takes no connection from the pool', async () => {
  const [pool, admin] = await openPools(2) as [Pool, Pool];
  const { rows } = await admin.query<{ name: string }>('select current_database() as name');
  await admin.query(`
    alter database ${rows[0]?.name} set search_path = public, pg_catalog;
    create function public.pg_try_advisory_lock(integer, integer) returns boolean language plpgsql
      as 'begin raise ''not now''; end'`);
  for (let attempt = 0; attempt < 5; attempt += 1) {
    await expect(takeConsumerName(pool, 'host')).rejects.toThrow('not now');
  }
  await admin.query('drop function public.pg_try_advisory_lock');
  const name = await takeConsumerName(pool, 'host');
  expect(name.name).toBe('host');
  expect(pool.totalCount - pool.idleCount).toBe(1);
  name.release();
});

test('two processors on one INSTANCE_ID share the work, and a third takes over the name of one that is gone', async () => {
  const site = await openSite();
  const [first, second] = await Promise.all([startCore(site), startCore(site)]);
  const nameOf = ({ lines }: typeof first): unknown => lines.find(({ msg }) => msg === 'processing the stream')?.consumer;
  expect([nameOf(first), nameOf(second)].sort()).toEqual(['one', 'one-2']);
  await append(site.redis, ...Array.from({ length: 50 }, (_, n) => frame(`device ${n}`, [record(n)])));
  await allStored(site, 50);
  const free = nameOf(second);
  await second.stop();
  const third = await startCore(site);
  expect(nameOf(third)).toBe(free);
});
