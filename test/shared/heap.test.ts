/** V8 takes a flag that it does not know without a word. */
import { execFileSync } from 'node:child_process';
import { expect, test } from 'vitest';
import { PRETENURING_OFF } from '../../src/shared/heap.ts';

test('this V8 knows the flag that is turned off', () => {
  const options = execFileSync(process.execPath, ['--v8-options'], { encoding: 'utf8', maxBuffer: 16 * 1024 * 1024 });
  expect(options).toContain(PRETENURING_OFF.replace('--no-', '--'));
});
