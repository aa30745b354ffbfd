/** What a run of the faults writes into docs/reliability.md. */
import { readFile } from 'node:fs/promises';
import { expect, test } from 'vitest';
import { sectionOf } from '../../scripts/generated-sections.ts';
import { FAULTS } from './catalogue.ts';
import { withResults, withSomeResults } from './document.ts';
import type { Row } from './table.ts';
import { rowsIn } from './table.ts';
import type { Trial } from './trial.ts';

const document = await readFile(new URL('../../docs/reliability.md', import.meta.url), 'utf8');

function trial(index: number, acknowledged: number): Trial {
  const counts = { injected: 2, acknowledged, lost: 0, duplicated: 0, deadLettered: 0 };
  const measured = { recoveriesMs: [1_000, 3_000], peakBytes: 2 ** 20, seconds: 9 };
  return { fault: FAULTS[index]!, ...counts, ...measured, problems: [] };
}

const rowsOf = (text: string): Row[] => rowsIn(sectionOf(text, 'table'));

test('every fault has a row of results', () => {
  expect(rowsOf(document).map(([name]) => name)).toEqual(FAULTS.map(({ name }) => name));
});

test('a run of some faults replaces their rows, keeps the others, and sums up again', () => {
  const whole = withResults(document, FAULTS.map((_, index) => trial(index, 1_000)), 'All of them, seed 1.');
  const later = withSomeResults(whole, [trial(1, 2_345), trial(2, 1_000)], 'Some, seed 2.');
  const [first, second] = rowsOf(later);
  expect([first?.[2], second?.[2], second?.[6]]).toEqual(['1,000', '2,345', '3.0 (3.0)']);
  expect(rowsOf(later)).toHaveLength(FAULTS.length);
  const section = sectionOf(later, 'table');
  expect(section).toContain(` ${(FAULTS.length * 1_000 + 1_345).toLocaleString('en')} |`);
  expect(section).toContain(`All of them, seed 1.\n\n*${FAULTS[1]!.name}*, *${FAULTS[2]!.name}*: Some, seed 2.\n\n| fault`);
});

test('a run of the same faults again is told once', () => {
  const once = withSomeResults(document, [trial(0, 1)], 'Seed 1.');
  const twice = withSomeResults(once, [trial(0, 2)], 'Seed 2.');
  expect(sectionOf(twice, 'table')).toContain(`*${FAULTS[0]!.name}*: Seed 2.`);
  expect(sectionOf(twice, 'table')).not.toContain('Seed 1.');
});
