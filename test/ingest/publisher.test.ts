import { EventEmitter } from 'node:events';
import type { Command } from 'ioredis';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { DurabilityError } from '../../src/ingest/durability.ts';
import type { IngestEvents } from '../../src/ingest/events.ts';
import { NotAppendedError, Publisher } from '../../src/ingest/publisher.ts';
import type { Redis } from '../../src/shared/redis.ts';
import { eventually } from '../support/eventually.ts';

type Result = [Error | null, unknown];

/** A Redis that notes the writes that it is sent and answers as it is told; each test append is a command. */
class FakeRedis extends EventEmitter {
  status = 'ready';
  readonly pipelines: string[][] = [];
  #answers = Promise.withResolvers<Result[]>();
  readonly stream = {
    cork: () => {
      this.#answers = Promise.withResolvers<Result[]>();
      this.pipelines.push([]);
    },
    uncork: () => { this.#answers.resolve(this.answer(this.pipelines.at(-1) ?? [])); },
  };
  answer = (names: string[]): Promise<Result[]> => Promise.resolve(names.map((): Result => [null, '1-1']));

  async sendCommand({ args }: Command): Promise<unknown> {
    const [, , , , name] = args;
    const index = (this.pipelines.at(-1)?.push(String(name)) ?? 0) - 1;
    const [error, value] = (await this.#answers.promise)[index] ?? [new Error('Connection is closed.'), undefined];
    if (error !== null) throw error;
    return value;
  }
}

let redis: FakeRedis;
let publisher: Publisher;
let congestion: boolean[];
const durability = { verify: vi.fn(), confirm: vi.fn() };
const events = { queueBytes: vi.fn(), appended: vi.fn(), appendFailed: vi.fn(), redisNotReady: vi.fn() };

beforeEach(async () => {
  vi.resetAllMocks();
  redis = new FakeRedis();
  congestion = [];
  publisher = createPublisher();
  await publisher.start(new AbortController().signal);
});

function createPublisher(): Publisher {
  return new Publisher({
    redis: redis as unknown as Redis,
    durability,
    maxQueueBytes: 1_000,
    events: events as unknown as IngestEvents,
    onCongestion: () => { congestion.push(publisher.congested); },
  });
}

afterEach(async () => {
  await publisher.stop(AbortSignal.abort());
});

function append(name: string, bytes = 0): Promise<void> {
  return publisher.append([{ stream: 'telemetry:{0}', fields: [name, Buffer.alloc(bytes)] }]);
}

const oom = (): Result => [Object.assign(new Error('OOM command not allowed'), { name: 'ReplyError' }), undefined];

describe('appends', () => {
  it('of one turn of the event loop share a pipeline, in their order', async () => {
    await Promise.all(['a', 'b', 'c'].map((name) => append(name)));
    expect(redis.pipelines).toEqual([['a', 'b', 'c']]);
    expect(durability.confirm).toHaveBeenCalledOnce();
  });

  it('go in pipelines of at most 500 appends or a megabyte', async () => {
    await Promise.all(Array.from({ length: 1_200 }, (_, index) => append(String(index))));
    expect(redis.pipelines.map(({ length }) => length)).toEqual([500, 500, 200]);
    redis.pipelines.length = 0;
    await Promise.all(['a', 'b', 'c', 'd'].map((name) => append(name, 400_000)));
    expect(redis.pipelines).toEqual([['a', 'b'], ['c', 'd']]);
    redis.pipelines.length = 0;
    await Promise.all([append('huge', 3_000_000), append('x')]);
    expect(redis.pipelines).toEqual([['huge'], ['x']]);
  });

  it('that bring nothing are durable at once', async () => {
    await publisher.append([]);
    expect(redis.pipelines).toEqual([]);
  });

  it('are durable only when they are confirmed', async () => {
    const { promise, resolve } = Promise.withResolvers<undefined>();
    durability.confirm.mockReturnValueOnce(promise);
    const done = vi.fn();
    const appended = append('a').then(done);
    await eventually(() => durability.confirm.mock.calls.length === 1);
    expect(done).not.toHaveBeenCalled();
    resolve(undefined);
    await appended;
    expect(done).toHaveBeenCalledOnce();
  });
});

describe('an append that failed', () => {
  it('is tried again alone, before what came later; those beside it are durable', async () => {
    redis.answer = (names) => Promise.resolve(names.map((name): Result => (name === 'b' && redis.pipelines.length === 1 ? oom() : [null, '1-1'])));
    const [a, b, c] = ['a', 'b', 'c'].map((name) => append(name));
    await Promise.all([a, c]);
    const d = append('d');
    await Promise.all([b, d]);
    expect(redis.pipelines).toEqual([['a', 'b', 'c'], ['b', 'd']]);
    expect(events.appendFailed).toHaveBeenCalledOnce();
  });

  it('of two entries is tried again with both', async () => {
    redis.answer = (names) => Promise.resolve(names.map((_name, index): Result => (index === 1 && redis.pipelines.length === 1 ? oom() : [null, '1-1'])));
    await publisher.append([{ stream: 's', fields: ['entry'] }, { stream: 's', fields: ['letter'] }]);
    expect(redis.pipelines).toEqual([['entry', 'letter'], ['entry', 'letter']]);
  });

  it('because the connection was lost on the way is tried again', async () => {
    redis.answer = (names) => Promise.resolve(redis.pipelines.length === 1 ? [[null, '1-1']] : names.map((): Result => [null, '1-1']));
    await Promise.all([append('a'), append('b')]);
    expect(redis.pipelines).toEqual([['a', 'b'], ['b']]);
  });

  it('to be confirmed is appended again', async () => {
    durability.confirm.mockRejectedValueOnce(new Error('Connection is closed.'));
    await append('a');
    expect(redis.pipelines).toEqual([['a'], ['a']]);
  });

  it('to be confirmed on the connection that took it is appended again, and the new connection is verified', async () => {
    durability.confirm.mockImplementationOnce(() => { redis.emit('close'); });
    await append('a');
    expect(redis.pipelines).toEqual([['a'], ['a']]);
    expect(durability.verify).toHaveBeenCalledTimes(2);
  });
});

describe('congestion', () => {
  it('begins at the limit and ends at half of it', async () => {
    const { promise, resolve } = Promise.withResolvers<Result[]>();
    redis.answer = () => promise;
    const first = append('a', 599);
    await eventually(() => redis.pipelines.length === 1);
    expect(publisher.congested).toBe(false);
    const second = append('b', 399);
    expect(publisher.congested).toBe(true);
    redis.answer = (names) => Promise.resolve(names.map((): Result => [null, '1-1']));
    resolve([[null, '1-1']]);
    await Promise.all([first, second]);
    expect(congestion).toEqual([true, false]);
    expect(events.queueBytes).toHaveBeenLastCalledWith(0);
  });
});

describe('stop', () => {
  it('lets what is queued go out', async () => {
    const appended = append('a');
    await publisher.stop(new AbortController().signal);
    await appended;
  });

  it('gives up at the deadline on what is queued and on what is on its way', async () => {
    redis.answer = () => Promise.withResolvers<Result[]>().promise;
    const onItsWay = expect(append('a')).rejects.toThrow(NotAppendedError);
    await eventually(() => redis.pipelines.length === 1);
    const queued = expect(append('b')).rejects.toThrow(NotAppendedError);
    await publisher.stop(AbortSignal.timeout(30));
    await Promise.all([onItsWay, queued]);
    await expect(append('c')).rejects.toThrow(NotAppendedError);
  });

  it('says nothing of a connection that is lost afterwards', async () => {
    const { promise, reject } = Promise.withResolvers<Result[]>();
    redis.answer = () => promise;
    append('a').catch(() => 'given up');
    await eventually(() => redis.pipelines.length === 1);
    await publisher.stop(AbortSignal.abort());
    reject(new Error('Connection is closed.'));
    await expect(promise).rejects.toThrow();
    expect(events.appendFailed).not.toHaveBeenCalled();
  });
});

describe('start', () => {
  it('fails on a Redis that cannot give the durability', async () => {
    durability.verify.mockRejectedValueOnce(new DurabilityError('set it to noeviction'));
    const start = createPublisher().start(new AbortController().signal);
    await expect(start).rejects.toThrow('set it to noeviction');
  });
});
