/** What suites rely on of the servers that they are given. */
import { Redis } from 'ioredis';
import { Client } from 'pg';
import { expect, inject, test } from 'vitest';
import { createDatabase, startPrivatePostgres } from './database.ts';
import { eventually } from './eventually.ts';
import { createRedis, startPrivateRedis } from './redis.ts';

async function query(url: string, sql: string): Promise<unknown[]> {
  const client = new Client({ connectionString: url });
  await client.connect();
  try {
    return (await client.query<unknown[]>({ text: sql, rowMode: 'array' })).rows.flat();
  } finally {
    await client.end();
  }
}

test('every database is new and empty, and gone after the drop', async () => {
  const [one, two] = await Promise.all([createDatabase(), createDatabase()]);
  expect(one.url).not.toBe(two.url);
  await query(one.url, 'CREATE TABLE mine ()');
  expect(await query(two.url, "SELECT count(*)::int FROM pg_tables WHERE schemaname = 'public'")).toEqual([0]);
  await one.drop();
  await two.drop();
  await expect(query(one.url, 'SELECT 1')).rejects.toMatchObject({ code: '3D000' });
});

test('offers TimescaleDB where it says so', async () => {
  const available = "SELECT count(*)::int FROM pg_available_extensions WHERE name = 'timescaledb'";
  expect(await query(inject('servers').postgresUrl, available)).toEqual([inject('servers').timescaledb ? 1 : 0]);
});

test('every Redis is a logical database of its own', async () => {
  const [one, two] = await Promise.all([createRedis(), createRedis()]);
  expect(one.url).not.toBe(two.url);
  const [first, second] = [new Redis(one.url), new Redis(two.url)];
  await first.set('mine', '1');
  expect(await second.get('mine')).toBeNull();
  first.disconnect();
  second.disconnect();
});

test('a private Redis can be frozen, killed and started again on the same port', async () => {
  const server = await startPrivateRedis({ appendonly: 'yes', appendfsync: 'always' });
  const redis = new Redis(server.url, { commandTimeout: 200, retryStrategy: () => 20 });
  redis.on('error', () => undefined);
  await redis.set('kept', '42');
  await server.freeze();
  await expect(redis.get('kept')).rejects.toThrow('timed out');
  await server.thaw();
  await server.kill();
  const again = await server.again();
  expect(again.url).toBe(server.url);
  expect(await eventually(() => redis.get('kept'))).toBe('42');
  redis.disconnect();
  await again.stop();
});

test('a private PostgreSQL can be killed and started again on the same port', async () => {
  const server = await startPrivatePostgres({ max_connections: '17' });
  expect(await query(server.url, 'SHOW max_connections')).toEqual(['17']);
  await server.kill();
  const again = await server.again();
  expect(again.url).toBe(server.url);
  expect(await query(again.url, 'SHOW max_connections')).toEqual(['17']);
  await again.stop();
});
