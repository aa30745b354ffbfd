import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Window } from '../../../src/ingest/http/sliding-window.ts';
import { admit } from '../../../src/ingest/http/sliding-window.ts';

const MINUTE = 60_000;
const fresh = (): Window => ({ slot: -2, current: 0, previous: 0 });

describe('a sliding window', () => {
  it('admits the limit at once, and no more', () => {
    const window = fresh();
    const answers = Array.from({ length: 12 }, () => admit(window, 10, MINUTE, 90_000));
    expect(answers.map(({ remaining }) => remaining)).toEqual([9, 8, 7, 6, 5, 4, 3, 2, 1, 0, 0, 0]);
    expect(answers.map(({ admitted }) => admitted).lastIndexOf(true)).toBe(9);
  });

  it('says when one that is refused would be admitted, not a moment sooner', () => {
    const times = fc.array(fc.nat({ max: 40_000 }), { minLength: 1, maxLength: 40 });
    fc.assert(fc.property(fc.integer({ min: 1, max: 8 }), times, (limit, gaps) => {
      const window = fresh();
      let now = 1_000_000;
      for (const gap of gaps) {
        now += gap;
        const { admitted, resetMs } = admit(window, limit, MINUTE, now);
        if (admitted) continue;
        expect(admit({ ...window }, limit, MINUTE, now + resetMs + 1).admitted).toBe(true);
        expect(admit({ ...window }, limit, MINUTE, now + resetMs - 2).admitted).toBe(false);
      }
    }));
  });

  it('is empty again after two windows without a request', () => {
    const window = fresh();
    for (let request = 0; request < 10; request += 1) admit(window, 10, MINUTE, 0);
    expect(admit(window, 10, MINUTE, 2 * MINUTE).remaining).toBe(9);
  });
});
