import { expect, it } from 'vitest';
import { readableLog } from '../../src/demo/readable-log.ts';

it('a line of the log is its level, its message and its error, and one that tells of nothing wrong is left out', () => {
  const lines = [
    '{"level":"fatal","time":"2026-01-01T00:00:00.000Z","instance":"a","error":"process 1 has it","msg":"cannot start"}',
    '{"level":"info","msg":"listening"}',
    '{"level":"warn","msg":"waiting"}',
  ];
  expect(readableLog(lines.join('\n'))).toBe('  fatal: cannot start: process 1 has it\n  warn: waiting');
});

it('any other line stays as it is', () => {
  expect(readableLog('2 problems in the settings:\n{"level":1}\n')).toBe('2 problems in the settings:\n{"level":1}\n');
});
