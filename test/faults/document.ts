/** The parts of docs/reliability.md that are made here: the faults there are, and what came of the last runs. */
import { sectionOf, withSections } from '../../scripts/generated-sections.ts';
import { FAULTS } from './catalogue.ts';
import type { Row } from './table.ts';
import { rowOf, rowsIn, table } from './table.ts';
import type { Trial } from './trial.ts';

function faults(): string {
  const rows = FAULTS.map(({ name, what }) => `| ${name} | ${what} |`);
  return ['| fault | what is done |', '| --- | --- |', ...rows].join('\n');
}

/** The document with the faults that there are; the results stay. */
export function reliabilityDocument(current: string): string {
  return withSections(current, { table: sectionOf(current, 'table'), faults: faults() });
}

/** In the order of the catalogue: rows of this run, and of the ones before it for faults that it has left out. */
function merged(before: readonly Row[], trials: readonly Trial[]): Row[] {
  const rows = new Map([...before, ...trials.map(rowOf)].map((row) => [row[0], row]));
  return FAULTS.map(({ name }) => rows.get(name)).filter((row) => row !== undefined);
}

/** What stands above the table: a paragraph for the run of all faults, and one for each later run of some. */
function descriptions(section: string, trials: readonly Trial[], description: string): string {
  const names = `*${trials.map(({ fault }) => fault.name).join('*, *')}*: `;
  const paragraphs = section.split('\n\n').filter((one) => !one.startsWith('|') && !one.startsWith(names));
  return [...paragraphs, `${names}${description}`].join('\n\n');
}

/** The document with the results of a run of all faults. @param description of the run, in Markdown */
export function withResults(current: string, trials: readonly Trial[], description: string): string {
  return withSections(current, { table: `${description}\n\n${table(trials.map(rowOf))}`, faults: faults() });
}

/** The document with the results of a run of some faults: the rows of the others stay. */
export function withSomeResults(current: string, trials: readonly Trial[], description: string): string {
  const section = sectionOf(current, 'table');
  const rows = merged(rowsIn(section), trials);
  return withSections(current, { table: `${descriptions(section, trials, description)}\n\n${table(rows)}`, faults: faults() });
}
