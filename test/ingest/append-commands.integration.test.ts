/** Many appends as few commands, on a real Redis. */
import { afterEach, beforeEach, expect, test } from 'vitest';
import { AppendCommands } from '../../src/ingest/append-commands.ts';
import type { StreamAppend } from '../../src/ingest/entries.ts';
import type { Redis } from '../../src/shared/redis.ts';
import type { PrivateServer } from '../support/private-server.ts';
import { startPrivateRedis } from '../support/redis.ts';
import { endServer, lookInto } from './support.ts';

let server: PrivateServer;
let redis: Redis;

beforeEach(async () => {
  server = await startPrivateRedis();
  redis = lookInto(server.url);
});

afterEach(async () => {
  await endServer(server);
});

interface Sent {
  readonly numbers: readonly number[];
  readonly errors: readonly (Error | null)[];
}

async function send(appends: readonly StreamAppend[]): Promise<Sent> {
  const commands = new AppendCommands();
  const numbers = appends.map((append) => commands.add(append));
  return { numbers, errors: await commands.send(redis) };
}

async function entriesOf(stream: string): Promise<string[][]> {
  return (await redis.xrange(stream, '-', '+')).map(([, fields]) => fields);
}

const entry = (stream: string, n: number): StreamAppend => ({ stream, fields: ['device', `d${n}`, 'count', String(n)] });

test('makes one command of the appends to one stream, in their order', async () => {
  const appends = Array.from({ length: 500 }, (_, n) => entry(`telemetry:{${n % 2}}`, n));
  const { numbers, errors } = await send(appends);
  expect(errors).toEqual([null, null]);
  expect(numbers).toEqual(appends.map((_, n) => n % 2));
  for (const p of [0, 1]) {
    const stream = `telemetry:{${p}}`;
    expect(await entriesOf(stream)).toEqual(appends.filter((one) => one.stream === stream).map(({ fields }) => fields));
  }
});

test('keeps entries with other fields apart, and in their order', async () => {
  const other: StreamAppend = { stream: 's', fields: ['reason', 'x'] };
  const { numbers } = await send([entry('s', 1), other, entry('s', 2), entry('s', 3)]);
  expect(numbers).toEqual([0, 1, 2, 2]);
  expect(await entriesOf('s')).toEqual([entry('s', 1), other, entry('s', 2), entry('s', 3)].map(({ fields }) => fields));
});

test('keeps every byte', async () => {
  const bytes = Buffer.from(Array.from({ length: 256 }, (_, value) => value));
  await send([{ stream: 's', fields: ['raw', bytes, 'text', 'ü\0\r\n€😀'] }]);
  const [[, [, raw, , text]] = ['', []]] = (await redis.xrangeBuffer('s', '-', '+')) as unknown as [Buffer, Buffer[]][];
  expect(raw).toEqual(bytes);
  expect(text?.toString()).toBe('ü\0\r\n€😀');
});

test('appends all or nothing of a command, and the commands beside it all the same', async () => {
  await redis.set('taken', 'no stream');
  const { errors } = await send([entry('taken', 1), entry('s', 1), entry('taken', 2), entry('s', 2)]);
  expect(errors[0]?.message).toMatch(/^WRONGTYPE/);
  expect(errors[1]).toBeNull();
  expect(await entriesOf('s')).toHaveLength(2);
});

test('is refused as a whole, for want of memory', async () => {
  await redis.set('ballast', 'x'.repeat(4 * 1024 * 1024));
  await redis.config('SET', 'maxmemory', '1mb');
  const { errors } = await send([entry('s', 1), entry('s', 2)]);
  expect(errors[0]?.message).toMatch(/^OOM /);
  expect(await redis.exists('s')).toBe(0);
});
