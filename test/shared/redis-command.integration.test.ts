/** Commands that carry much, on a real Redis. */
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { connectRedis, waitForRedis } from '../../src/shared/redis.ts';
import type { Redis } from '../../src/shared/redis.ts';
import { inOneWrite, sendCommand } from '../../src/shared/redis-command.ts';
import { keptByYoungCollections } from '../support/collect-garbage.ts';
import type { PrivateServer } from '../support/private-server.ts';
import { startPrivateRedis } from '../support/redis.ts';

const MIB = 1024 * 1024;

let server: PrivateServer;
let redis: Redis;

beforeEach(async () => {
  server = await startPrivateRedis();
  redis = connectRedis(server.url, { name: 'test', commandTimeoutMs: 5_000, onError: () => undefined });
  await waitForRedis(redis, new AbortController().signal);
});

afterEach(async () => {
  redis.disconnect();
  await server.stop();
});

/** A string of its own each time. */
function letters(): string {
  return Buffer.alloc(MIB / 16, 'a').toString('latin1');
}

test('sends strings, bytes and numbers, and replies with bytes', async () => {
  expect(await sendCommand(redis, 'RPUSH', ['list', 'ü', Buffer.from([0, 255]), 3])).toBe(3);
  expect(await sendCommand(redis, 'LRANGE', ['list', 0, -1])).toEqual([Buffer.from('ü'), Buffer.from([0, 255]), Buffer.from('3')]);
  expect(await sendCommand(redis, 'GET', ['none'])).toBeNull();
});

test('throws what the server says', async () => {
  await expect(sendCommand(redis, 'XREADGROUP', ['GROUP', 'g', 'c', 'STREAMS', 's', '>'])).rejects.toThrow(/^NOGROUP/);
});

test('what a command carried is gone with the next young collection', async () => {
  const send = async (): Promise<void> => {
    for (let n = 0; n < 320; n += 1) await sendCommand(redis, 'SET', ['key', letters()]);
  };
  await send();
  expect(await keptByYoungCollections(send)).toBeLessThan(4 * MIB);
});

test('so is what it brought', async () => {
  const items = Array.from({ length: 4_000 }, (_, n) => `item ${n}`);
  await redis.rpush('list', ...items);
  const read = async (): Promise<void> => {
    for (let n = 0; n < 40; n += 1) await sendCommand(redis, 'LRANGE', ['list', 0, -1]);
  };
  await read();
  expect(await keptByYoungCollections(read)).toBeLessThan(4 * MIB);
});

test('commands that are sent together leave in one write', async () => {
  const written = vi.spyOn(redis.stream, '_write');
  const writtenTogether = vi.spyOn(redis.stream, '_writev');
  const replies = inOneWrite(redis, () => [1, 2, 3].map((n) => sendCommand(redis, 'RPUSH', ['list', n])));
  expect(await Promise.all(replies)).toEqual([1, 2, 3]);
  expect(written).not.toHaveBeenCalled();
  expect(writtenTogether).toHaveBeenCalledOnce();
});

test('a command that cannot be sent holds nothing back that is sent later', async () => {
  redis.disconnect(true);
  await expect(inOneWrite(redis, () => sendCommand(redis, 'PING', []))).rejects.toThrow();
  await new Promise((ready) => { redis.once('ready', ready); });
  expect(await sendCommand(redis, 'GET', ['none'])).toBeNull();
});
