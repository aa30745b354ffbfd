import { describe, expect, test } from 'vitest';
import { Flights } from '../../../src/query/cache/flights.ts';

const stays = new AbortController().signal;

interface Work {
  readonly started: number;
  readonly signals: AbortSignal[];
  begin(signal: AbortSignal): Promise<string>;
  finish(value: string): void;
  fail(error: Error): void;
}

function work(): Work {
  let { promise, resolve, reject } = Promise.withResolvers<string>();
  const signals: AbortSignal[] = [];
  return {
    signals,
    get started() { return signals.length; },
    begin(signal) {
      signals.push(signal);
      ({ promise, resolve, reject } = Promise.withResolvers<string>());
      signal.addEventListener('abort', () => { reject(signal.reason as Error); });
      return promise;
    },
    finish: (value) => { resolve(value); },
    fail: (error) => { reject(error); },
  };
}

describe('equal work', () => {
  test('is done once for all who wait for it, and anew for who comes later', async () => {
    const flights = new Flights<string>();
    const one = work();
    const joined = [0, 1, 2].map(() => flights.join('key', stays, (signal) => one.begin(signal)));
    expect(one.started).toBe(1);
    one.finish('x');
    expect(await Promise.all(joined)).toEqual([
      { result: 'x', isShared: false }, { result: 'x', isShared: true }, { result: 'x', isShared: true },
    ]);
    expect(flights.size).toBe(0);
    const later = flights.join('key', stays, (signal) => one.begin(signal));
    expect(one.started).toBe(2);
    one.finish('y');
    expect((await later).result).toBe('y');
  });

  test('of other keys is other work', async () => {
    const flights = new Flights<string>();
    const results = await Promise.all(['a', 'b'].map((key) => flights.join(key, stays, () => Promise.resolve(key))));
    expect(results.map(({ result }) => result)).toEqual(['a', 'b']);
  });

  test('that fails fails for all, and is not kept', async () => {
    const flights = new Flights<string>();
    const one = work();
    const joined = [0, 1].map(() => flights.join('key', stays, (signal) => one.begin(signal)));
    one.fail(new Error('away'));
    for (const outcome of await Promise.allSettled(joined)) expect(outcome).toMatchObject({ status: 'rejected', reason: { message: 'away' } });
    expect(flights.size).toBe(0);
  });
});

describe('who goes', () => {
  test('ends nothing while another waits', async () => {
    const flights = new Flights<string>();
    const one = work();
    const gone = new AbortController();
    const [left, stayed] = [gone.signal, stays].map((signal) => flights.join('key', signal, (abandoned) => one.begin(abandoned)));
    gone.abort(new Error('gone'));
    await expect(left).rejects.toThrow('gone');
    expect(one.signals[0]?.aborted).toBe(false);
    one.finish('x');
    expect((await stayed)?.result).toBe('x');
  });

  test('as the last one ends the work, and the next to come begins anew', async () => {
    const flights = new Flights<string>();
    const one = work();
    const gone = new AbortController();
    const left = flights.join('key', gone.signal, (abandoned) => one.begin(abandoned));
    gone.abort(new Error('gone'));
    await expect(left).rejects.toThrow('gone');
    expect(one.signals[0]?.aborted).toBe(true);
    const next = flights.join('key', stays, () => Promise.resolve('new'));
    expect(await next).toEqual({ result: 'new', isShared: false });
  });
});
