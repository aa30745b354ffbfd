import { expect, it } from 'vitest';
import { LagMeter } from '../../src/core/lag-meter.ts';

const behind = (reported: number | null) => ({ reported, lastDeliveredId: '5-0', lastId: '9-0' });
const caughtUp = (reported: number | null) => ({ reported, lastDeliveredId: '9-0', lastId: '9-0' });

it('the lag is what Redis reports', () => {
  expect(new LagMeter().lagOf('s', behind(4))).toBe(4);
});

it('the lag of a group that was given the last entry is 0, whatever Redis reports', () => {
  expect(new LagMeter().lagOf('s', caughtUp(3_000))).toBe(0);
  expect(new LagMeter().lagOf('s', caughtUp(null))).toBe(0);
});

it('an error seen once is taken off from then on, for its stream alone', () => {
  const meter = new LagMeter();
  meter.lagOf('s', caughtUp(3_000));
  expect(meter.lagOf('s', behind(3_010))).toBe(10);
  expect(meter.lagOf('other', behind(3_010))).toBe(3_010);
});

it('an error that is gone makes no lag below 0', () => {
  const meter = new LagMeter();
  meter.lagOf('s', caughtUp(3_000));
  expect(meter.lagOf('s', behind(10))).toBe(0);
  meter.lagOf('s', caughtUp(0));
  expect(meter.lagOf('s', behind(10))).toBe(10);
});

it('the lag is unknown where Redis does not know and entries are left', () => {
  expect(new LagMeter().lagOf('s', behind(null))).toBeUndefined();
});
