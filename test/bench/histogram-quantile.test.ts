import { describe, expect, it } from 'vitest';
import { quantileBetween } from '../../bench/support/histogram-quantile.ts';
import { parseMetrics } from '../../src/shared/metrics-text.ts';

function reading(upTo1: number, upTo2: number, all: number) {
  return parseMetrics([
    `wait_bucket{le="1"} ${upTo1}`, `wait_bucket{le="2"} ${upTo2}`, `wait_bucket{le="+Inf"} ${all}`, 'other_bucket{le="1"} 7',
  ].join('\n'));
}

describe('the quantile between two readings', () => {
  it('is interpolated within its bucket', () => {
    expect(quantileBetween(reading(0, 0, 0), reading(50, 100, 100), 'wait', 0.5)).toBe(1);
    expect(quantileBetween(reading(0, 0, 0), reading(50, 100, 100), 'wait', 0.75)).toBe(1.5);
  });

  it('leaves out what was counted before', () => {
    expect(quantileBetween(reading(50, 50, 50), reading(50, 150, 150), 'wait', 0.5)).toBe(1.5);
  });

  it('is the last bound where more lies beyond it', () => {
    expect(quantileBetween(reading(0, 0, 0), reading(1, 2, 100), 'wait', 0.99)).toBe(2);
  });

  it('is none where nothing was counted', () => {
    expect(quantileBetween(reading(5, 5, 5), reading(5, 5, 5), 'wait', 0.5)).toBeNaN();
  });
});
