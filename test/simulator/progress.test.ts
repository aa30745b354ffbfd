import { describe, expect, it } from 'vitest';
import { csvLine } from '../../src/simulator/csv.ts';
import { Progress, progressLine } from '../../src/simulator/progress.ts';
import type { Sample } from '../../src/simulator/sampler.ts';

const SAMPLE: Sample = {
  elapsedMs: 65_004, connected: 1_990, madePerSecond: 2_000.4, sentPerSecond: 2_010.6, acknowledgedPerSecond: 1_999.5,
  unacknowledged: 12, resent: 1_234, errors: 3, lag: 40, p50Ms: 1.26, p99Ms: 10.04,
};

const LINE = '  1m5s | 1990/2000 connected | 2,011 sent/s | 2,000 acknowledged/s | p50 1.3 ms, p99 10.0 ms | 12 waiting | '
  + '1,234 resent | 3 errors | lag 40';

describe('progressLine', () => {
  it('says what goes on', () => {
    expect(progressLine(SAMPLE, 2_000)).toBe(LINE);
  });

  it('leaves out a lag that is not known, and has a dash for no latency', () => {
    const line = progressLine({ ...SAMPLE, lag: null, p50Ms: null, p99Ms: null }, 2_000);
    expect(line).toContain('| p50 -, p99 - |');
    expect(line).not.toContain('lag');
  });
});

describe('Progress', () => {
  function shown(isTTY: boolean, samples: number, columns = 200): string {
    let text = '';
    const progress = new Progress({ isTTY, columns, write: (more) => { text += more; } }, 2_000);
    for (let sample = 0; sample < samples; sample += 1) progress.show(SAMPLE);
    progress.end();
    progress.note('note');
    return text;
  }

  it('rewrites one line on a terminal', () => {
    expect(shown(true, 2)).toBe(`\r\u001b[K${LINE}\r\u001b[K${LINE}\n\r\u001b[Knote\n`);
  });

  it('cuts the line to the width of the terminal, where it could not be rewritten otherwise', () => {
    expect(shown(true, 1, 40)).toBe(`\r\u001b[K${LINE.slice(0, 39)}\n\r\u001b[Knote\n`);
  });

  it('writes a line every five seconds elsewhere', () => {
    expect(shown(false, 11)).toBe(`${LINE}\n${LINE}\nnote\n`);
  });
});

describe('csvLine', () => {
  it('has the numbers of the sample in the order of the header', () => {
    expect(csvLine(SAMPLE)).toBe('65.004,1990,2000.4,2010.6,1999.5,12,1234,3,40,1.26,10.04');
  });

  it('leaves empty what is not known', () => {
    expect(csvLine({ ...SAMPLE, lag: null, p50Ms: null, p99Ms: null })).toMatch(/,1234,3,,,$/);
  });
});
