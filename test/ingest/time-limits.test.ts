import { describe, expect, it } from 'vitest';
import { TimeLimits } from '../../src/ingest/time-limits.ts';

const SETTINGS = { INGEST_LOGIN_TIMEOUT_MS: 100, INGEST_FRAME_TIMEOUT_MS: 200, INGEST_IDLE_TIMEOUT_MS: 1_000 };

const limits = (): TimeLimits => new TimeLimits(SETTINGS, 0);

describe('login', () => {
  it('is due from the opening on, whatever else is sent', () => {
    const time = limits();
    time.received(90, 3, 0);
    expect(time.overdue(100, false)).toBeNull();
    expect(time.overdue(101, false)).toBe('login_timeout');
    expect(time.overdue(101, true)).toBeNull();
  });

  it('is waited for no longer while the stream holds the connection up, but that is our doing', () => {
    const time = limits();
    time.hold(true, 0);
    expect(time.overdue(101, false)).toBe('overloaded');
  });
});

describe('frame', () => {
  it('is due from its first byte on, however slowly the rest drips', () => {
    const time = limits();
    time.received(0, 0, 1);
    for (let now = 20; now <= 200; now += 20) time.received(now, 0, now);
    expect(time.overdue(200, true)).toBeNull();
    expect(time.overdue(201, true)).toBe('frame_timeout');
  });

  it('begins anew with every frame', () => {
    const time = limits();
    time.received(0, 0, 10);
    time.received(150, 1, 5);
    expect(time.overdue(300, true)).toBeNull();
    expect(time.overdue(351, true)).toBe('frame_timeout');
  });

  it('that is finished is not due', () => {
    const time = limits();
    time.received(0, 0, 10);
    time.received(150, 1, 0);
    expect(time.overdue(900, true)).toBeNull();
  });
});

describe('silence', () => {
  it('is counted from the last byte', () => {
    const time = limits();
    time.received(500, 1, 0);
    expect(time.overdue(1_500, true)).toBeNull();
    expect(time.overdue(1_501, true)).toBe('idle_timeout');
  });
});

describe('while the stream holds the connection up', () => {
  it('the clock stands still', () => {
    const time = limits();
    time.received(0, 1, 7);
    time.hold(true, 100);
    expect(time.overdue(100_000, true)).toBeNull();
    time.hold(true, 50_000);
    time.hold(false, 100_000);
    expect(time.overdue(100_100, true)).toBeNull();
    expect(time.overdue(100_101, true)).toBe('frame_timeout');
  });

  it('bytes that come all the same are not moved into the future', () => {
    const time = limits();
    time.hold(true, 0);
    time.received(900, 1, 0);
    time.hold(false, 1_000);
    expect(time.overdue(2_000, true)).toBeNull();
    expect(time.overdue(2_001, true)).toBe('idle_timeout');
  });

  it('letting go of what was not held changes nothing', () => {
    const time = limits();
    time.hold(false, 900);
    expect(time.overdue(1_001, true)).toBe('idle_timeout');
  });
});
