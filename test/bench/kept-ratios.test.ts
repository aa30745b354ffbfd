import { describe, expect, it } from 'vitest';
import { BENCHMARKS } from '../../bench/benchmarks.ts';
import { KEPT_RATIOS, collapsed } from '../../bench/kept-ratios.ts';

const KEPT = [
  { benchmark: 'one', ratio: 'speed', kept: 10, better: 'more' },
  { benchmark: 'one', ratio: 'cost', kept: 3, better: 'less' },
  { benchmark: 'other', ratio: 'speed', kept: 10, better: 'more' },
] as const;

function measured(speed: number[], cost: number[]) {
  return { one: { figures: [], ratios: [{ name: 'speed', values: speed, goal: '' }, { name: 'cost', values: cost, goal: '' }] } };
}

describe('a kept ratio', () => {
  it('has not collapsed while it is half as good, whatever its worst round', () => {
    expect(collapsed(measured([5, 1, 20], [6, 1, 60]), KEPT)).toEqual([]);
  });

  it('has collapsed below half, where more is better', () => {
    expect(collapsed(measured([4.9, 1, 20], [3]), KEPT)).toEqual(['one: speed is 4.90, and 10 is kept']);
  });

  it('has collapsed above twice, where less is better', () => {
    expect(collapsed(measured([10], [6.1]), KEPT)).toEqual(['one: cost is 6.10, and 3 is kept']);
  });

  it('has collapsed when its benchmark no longer measures it', () => {
    expect(collapsed({ one: { figures: [] } }, KEPT)).toHaveLength(2);
  });

  it('names a benchmark that there is', () => {
    const names = BENCHMARKS.map(({ name }) => name);
    expect(KEPT_RATIOS.filter(({ benchmark }) => !names.includes(benchmark))).toEqual([]);
  });
});
