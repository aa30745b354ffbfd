/** The progress line and the report of a run. */
import { describe, expect, it } from 'vitest';
import { Progress } from '../../src/dead-letters/progress.ts';
import { emptyPurgeReport, emptyReplayReport, purgeText, replayText } from '../../src/dead-letters/report.ts';

const REPLAY = {
  ...emptyReplayReport(), read: 1_234, replayed: 1_000, records: 4_000, left: { clock_ahead: 200, unreadable: 1 },
};
const LINE = '1,234 letters read | 1,000 letters replayed, 4,000 records | 201 letters left';

/** What is written when the run shows its progress every 100 ms for a time. */
function shown(isTTY: boolean, forMs: number): string {
  let [text, now] = ['', 0];
  const progress = new Progress({ isTTY, columns: 200, write: (more) => { text += more; } }, () => now);
  for (; now <= forMs; now += 100) progress.show(REPLAY);
  progress.end();
  return text;
}

describe('the progress line', () => {
  it('is rewritten five times a second on a terminal', () => {
    expect(shown(true, 1_000)).toBe(`${`\r\u001b[K${LINE}`.repeat(5)}\n`);
  });

  it('is a line every five seconds elsewhere', () => {
    expect(shown(false, 14_000)).toBe(`${LINE}\n${LINE}\n`);
  });

  it('is not shown for a run that is over at once', () => {
    expect(shown(true, 100)).toBe('');
  });
});

describe('the report', () => {
  it('of a replay says what was recovered, and why the rest was not', () => {
    expect(replayText({ ...REPLAY, remaining: 1, gone: 2, missing: ['1-0'] }, false)).toBe([
      '1,000 letters replayed: 4,000 records to the stream',
      '1 letter in their place, for what still cannot be kept',
      '2 letters gone meanwhile',
      '201 letters left: clock_ahead 200, unreadable 1',
      'no such letter: 1-0', '',
    ].join('\n'));
    expect(replayText(emptyReplayReport(), true)).toBe('0 letters would be replayed: 0 records to the stream\n');
  });

  it('of a purge says of what reasons the letters were', () => {
    expect(purgeText({ ...emptyPurgeReport(), purged: 3, byReason: { truncated: 2, unreadable: 1 } }, false))
      .toBe('3 letters purged: truncated 2, unreadable 1\n');
    expect(purgeText(emptyPurgeReport(), true)).toBe('0 letters would be purged\n');
  });
});
