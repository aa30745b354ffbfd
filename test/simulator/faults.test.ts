import { describe, expect, it } from 'vitest';
import type { FaultKind } from '../../src/simulator/faults.ts';
import { FAULT_KINDS, FaultPlan } from '../../src/simulator/faults.ts';
import { recordsOf } from './fake-server.ts';

function draws(plan: FaultPlan, count: number): (FaultKind | null)[] {
  return Array.from({ length: count }, () => plan.next());
}

describe('FaultPlan', () => {
  it('plans the same faults for the same seed', () => {
    expect(draws(new FaultPlan(1, FAULT_KINDS, 0.3), 200)).toEqual(draws(new FaultPlan(1, FAULT_KINDS, 0.3), 200));
  });

  it('plans every kind about equally often, at the rate asked for', () => {
    const planned = draws(new FaultPlan(2, FAULT_KINDS, 0.5), 12_000);
    for (const kind of FAULT_KINDS) {
      const share = planned.filter((fault) => fault === kind).length / planned.length;
      expect(share).toBeGreaterThan(0.07);
      expect(share).toBeLessThan(0.097);
    }
  });

  it('plans nothing where no kind is asked for', () => {
    expect(draws(new FaultPlan(1, [], 1), 10)).toEqual(Array(10).fill(null));
  });

  it('cuts inside a frame', () => {
    const plan = new FaultPlan(1, FAULT_KINDS, 1);
    const lengths = Array.from({ length: 300 }, () => plan.cutOff(Buffer.alloc(20)).length);
    expect(Math.min(...lengths)).toBe(1);
    expect(Math.max(...lengths)).toBe(19);
  });

  it('makes garbage that is neither a frame, nor a ping, nor a login', () => {
    const plan = new FaultPlan(1, FAULT_KINDS, 1);
    for (let round = 0; round < 500; round += 1) {
      const garbage = plan.garbage();
      expect(garbage.length).toBeGreaterThanOrEqual(16);
      expect(recordsOf(garbage)).toBeNull();
      expect(garbage[0]).toBeGreaterThanOrEqual(0x20);
      expect(garbage[0]).toBeLessThan(0xff);
    }
  });
});
