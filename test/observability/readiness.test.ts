import { describe, expect, it, vi } from 'vitest';
import { cached, readinessOf } from '../../src/observability/readiness.ts';

describe('readiness', () => {
  it('is ready when every probe is well', async () => {
    const check = readinessOf({ redis: () => Promise.resolve(), ingest: () => undefined });
    expect(await check()).toEqual({ ready: true, checks: { redis: 'ok', ingest: 'ok' } });
  });

  it('names what is wrong, and the others all the same', async () => {
    const check = readinessOf({
      redis: () => Promise.reject(new Error('Redis is reconnecting')),
      ingest: () => { throw new Error('starting'); },
      core: () => undefined,
    });
    expect(await check()).toEqual({ ready: false, checks: { redis: 'Redis is reconnecting', ingest: 'starting', core: 'ok' } });
  });

  it('does not wait for a probe that never answers', async () => {
    vi.useFakeTimers();
    try {
      const asked = readinessOf({ frozen: () => Promise.withResolvers<undefined>().promise })();
      await vi.advanceTimersByTimeAsync(2_000);
      expect(await asked).toEqual({ ready: false, checks: { frozen: 'no answer in time' } });
    } finally {
      vi.useRealTimers();
    }
  });

  it('of nothing is ready', async () => {
    expect(await readinessOf({})()).toEqual({ ready: true, checks: {} });
  });

  it('asks all probes side by side', async () => {
    const { promise, resolve } = Promise.withResolvers<undefined>();
    const second = vi.fn(() => { resolve(undefined); });
    expect(await readinessOf({ first: () => promise, second })()).toMatchObject({ ready: true });
    expect(second).toHaveBeenCalledOnce();
  });
});

describe('a cached probe', () => {
  function clock() {
    let now = 1_000;
    return { now: () => now, pass: (ms: number) => { now += ms; } };
  }

  it('is asked again only after its time', async () => {
    const { now, pass } = clock();
    const probe = vi.fn(() => Promise.resolve());
    const asked = cached(probe, 5_000, now);
    await asked();
    await asked();
    pass(4_999);
    await asked();
    expect(probe).toHaveBeenCalledTimes(1);
    pass(1);
    await asked();
    expect(probe).toHaveBeenCalledTimes(2);
  });

  it('keeps a failure as long as a success, also one that is thrown', async () => {
    const { now, pass } = clock();
    const probe = vi.fn((): void => { throw new Error('down'); });
    const asked = cached(probe, 5_000, now);
    await expect(asked()).rejects.toThrow('down');
    await expect(asked()).rejects.toThrow('down');
    expect(probe).toHaveBeenCalledTimes(1);
    probe.mockImplementation(() => undefined);
    pass(5_000);
    await asked();
  });

  it('is asked once by many at the same time', async () => {
    const probe = vi.fn(() => Promise.resolve());
    const asked = cached(probe, 5_000);
    await Promise.all(Array.from({ length: 100 }, async () => { await asked(); }));
    expect(probe).toHaveBeenCalledTimes(1);
  });
});
