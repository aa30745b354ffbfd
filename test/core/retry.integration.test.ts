/** What PostgreSQL cannot do now is done later: nothing is lost, nothing is acknowledged meanwhile, nobody hangs. */
import { expect, test } from 'vitest';
import { eventually } from '../support/eventually.ts';
import type { RunningCore, Site } from './support.ts';
import {
  allStored, append, countPending, deadLetters, frame, holdTransaction, metric, openSite, record, records, startCore,
  value, waitingForLock,
} from './support.ts';

const NOW = Date.UTC(2026, 10, 20, 12);

function databaseOf({ postgresUrl }: Site): string {
  return new URL(postgresUrl).pathname.slice(1);
}

async function retries({ registry }: RunningCore, code: string): Promise<number> {
  return metric(registry, 'odograph_core_write_retries_total', { code });
}

test('a connection that is killed in the middle of a transaction is replaced, and nothing is stored twice', async () => {
  const site = await openSite();
  const running = await startCore(site);
  const held = await holdTransaction(site.pool, 'lock table device_state in exclusive mode');
  await append(site.redis, frame('a', records(10, NOW)));
  await eventually(async () => { expect(await waitingForLock(site.pool)).toHaveLength(1); });
  await site.pool.query('select pg_terminate_backend($1)', await waitingForLock(site.pool));
  await held.end();
  await allStored(site, 10);
  expect(await retries(running, '57P01')).toBe(1);
  expect(await metric(running.registry, 'processor_position_writes_total', { status: 'duplicate' })).toBe(0);
  expect(await value(site.pool, 'select records from device_state')).toBe(10);
});

test('a lock on positions is waited for, and nothing is acknowledged meanwhile', async () => {
  const site = await openSite();
  const running = await startCore(site);
  const held = await holdTransaction(site.pool, 'lock table positions in access exclusive mode');
  await append(site.redis, frame('a', records(10, NOW)), frame('b', records(10, NOW)));
  await eventually(async () => { expect(await waitingForLock(site.pool)).not.toEqual([]); });
  await eventually(async () => { expect(await countPending(site.redis)).toBe(2); });
  expect(await metric(running.registry, 'processor_acks_total')).toBe(0);
  await held.end();
  await allStored(site, 20);
  expect(await metric(running.registry, 'processor_acks_total')).toBe(2);
});

test('a lock that is not had in time is asked for again', async () => {
  const site = await openSite();
  await site.pool.query(`alter database ${databaseOf(site)} set lock_timeout = '100ms'`);
  const running = await startCore(site);
  const held = await holdTransaction(site.pool, 'lock table positions in access exclusive mode');
  await append(site.redis, frame('a', records(10, NOW)));
  await eventually(async () => { expect(await retries(running, '55P03')).toBeGreaterThan(2); });
  await held.end();
  await allStored(site, 10);
  expect(await deadLetters(site.redis)).toEqual([]);
});

test('a deadlock with another transaction is survived', async () => {
  const site = await openSite();
  const running = await startCore(site);
  await append(site.redis, frame('a', [record(NOW)]));
  await allStored(site, 1);
  // The other one is patient, so that it is the processor whose transaction is rolled back.
  const held = await holdTransaction(site.pool, 'set local deadlock_timeout = \'1h\'', 'select from device_state for update');
  await append(site.redis, frame('a', [record(NOW + 1)]));
  await eventually(async () => { expect(await waitingForLock(site.pool)).toHaveLength(1); });
  await held.run('lock table positions in access exclusive mode');
  await held.end();
  await allStored(site, 2);
  expect(await retries(running, '40P01')).toBe(1);
});

test('a database that is read-only for a while is written to afterwards', async () => {
  const site = await openSite();
  const database = databaseOf(site);
  const running = await startCore(site);
  await site.pool.query(`alter database ${database} set default_transaction_read_only = on`);
  await site.pool.query(`select pg_terminate_backend(pid) from pg_stat_activity
    where application_name like 'odograph/core/%' and datname = current_database()`);
  await append(site.redis, frame('a', records(10, NOW)));
  await eventually(async () => { expect(await retries(running, '25006')).toBeGreaterThan(1); });
  expect(await metric(running.registry, 'processor_acks_total')).toBe(0);
  await site.pool.query('set default_transaction_read_only = off');
  await site.pool.query(`alter database ${database} reset default_transaction_read_only`);
  await allStored(site, 10);
  expect(await deadLetters(site.redis)).toEqual([]);
});

test('a device that is deleted while it is in memory is registered again', async () => {
  const site = await openSite();
  const running = await startCore(site);
  await append(site.redis, frame('a', [record(NOW)]), frame('b', [record(NOW)]));
  await allStored(site, 2);
  const before = await value(site.pool, 'select id from devices where unique_id = \'a\'');
  await site.pool.query('delete from devices where unique_id = \'a\'');
  await append(site.redis, frame('a', [record(NOW + 1)]), frame('b', [record(NOW + 1)]));
  await allStored(site, 4);
  const after = await value(site.pool, 'select id from devices where unique_id = \'a\'');
  expect(after).not.toBe(before);
  expect(await value(site.pool, 'select count(*) from positions where device_id = $1', [after])).toBe(1);
  expect(await retries(running, '23503')).toBe(1);
  expect(await deadLetters(site.redis)).toEqual([]);
});

test('a schema that is not what this version needs stops nothing but the writing', async () => {
  const site = await openSite();
  const running = await startCore(site);
  await site.pool.query('alter table positions rename column hdop to dop');
  await append(site.redis, frame('a', records(10, NOW)));
  await eventually(async () => { expect(await retries(running, '42703')).toBeGreaterThan(0); });
  await site.pool.query('alter table positions rename column dop to hdop');
  await allStored(site, 10);
  expect(await deadLetters(site.redis)).toEqual([]);
});

test('what takes longer than a statement may is stored in parts', async () => {
  const site = await openSite();
  // Each row takes five milliseconds, so that a quarter of them has time enough.
  await (await startCore(site)).stop();
  await site.pool.query(`create function take_time() returns trigger language plpgsql as
    'begin perform pg_sleep(0.005); return new; end'`);
  await site.pool.query('create trigger slow before insert on positions for each row execute function take_time()');
  const running = await startCore(site, { POSTGRES_STATEMENT_TIMEOUT_MS: '500' });
  await append(site.redis, frame('a', records(200, NOW)));
  await allStored(site, 200);
  expect(await retries(running, '57014')).toBeGreaterThan(2);
  expect(await deadLetters(site.redis)).toEqual([]);
});
