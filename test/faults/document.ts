/** The parts of docs/reliability.md that are made here: the faults there are, and what came of the last run. */
import { sectionOf, withSections } from '../../scripts/generated-sections.ts';
import { FAULTS } from './catalogue.ts';
import { table } from './table.ts';
import type { Trial } from './trial.ts';

function faults(): string {
  const rows = FAULTS.map(({ name, what }) => `| ${name} | ${what} |`);
  return ['| fault | what is done |', '| --- | --- |', ...rows].join('\n');
}

/** The document with the faults that there are; the results stay. */
export function reliabilityDocument(current: string): string {
  return withSections(current, { table: sectionOf(current, 'table'), faults: faults() });
}

/** The document with the results of a run. @param description of the run, in Markdown */
export function withResults(current: string, trials: readonly Trial[], description: string): string {
  return withSections(current, { table: `${description}\n\n${table(trials)}`, faults: faults() });
}
