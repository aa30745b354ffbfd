/** The import rules of `eslint/zones.js` bite: each forbidden pair of areas is reported, each allowed pair is not. */
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { AREAS } from '../../eslint/zones.js';
import type { Findings } from './lint-tree.ts';
import { lintTree, REPOSITORY } from './lint-tree.ts';

const NAMES = AREAS.map(({ area }) => area);

/** Each way to import, on one line; `id` keeps the names of a file apart. */
const FORMS: Readonly<Record<string, (path: string, id: number) => string>> = {
  value: (path, id) => `import { value as value${id} } from '${path}';`,
  type: (path, id) => `import type { Kind as Kind${id} } from '${path}';`,
  dynamic: (path, id) => `export const loaded${id} = import('${path}');`,
  're-export': (path, id) => `export { value as again${id} } from '${path}';`,
};

const isFile = (area: string): boolean => area.endsWith('.ts');

/** The file of an area that others import. */
const targetOf = (area: string): string => (isFile(area) ? area : `${area}/target.ts`);

/** The file of an area that imports all others: one level down in a folder; an area that is a file has only itself. */
const sourceOf = (area: string): string => `src/${isFile(area) ? area : `${area}/nested/source.ts`}`;

const others = (area: string): string[] => NAMES.filter((name) => name !== area);

interface Import {
  readonly from: string;
  readonly to: string;
  readonly form: string;
  /** Where in the source file of `from` it stands. */
  readonly line: number;
  readonly text: string;
}

function importsOf(from: string): Import[] {
  const up = isFile(from) ? './' : '../../';
  const wanted = others(from).flatMap((to) => Object.entries(FORMS).map(([form, write]) => ({ to, form, write })));
  return wanted.map(({ to, form, write }, index) => ({
    from, to, form, line: index + 1, text: write(`${up}${targetOf(to)}`, index),
  }));
}

const IMPORTS = NAMES.flatMap(importsOf);
const TARGET = "export type Kind = 'kind';\n\nexport const value = 1;\n";

function tree(): Map<string, string> {
  const files = new Map(NAMES.map((area) => [`src/${targetOf(area)}`, TARGET]));
  for (const area of NAMES) {
    const lines = IMPORTS.filter(({ from }) => from === area).map(({ text }) => text);
    files.set(sourceOf(area), `${lines.join('\n')}\n${isFile(area) ? TARGET : ''}`);
  }
  return files;
}

const mayImport = (from: string, to: string): boolean =>
  AREAS.some(({ area, mayImport: allowed }) => area === from && allowed.includes(to));

describe('the table of areas', () => {
  it('has a row for every folder and every file of src', async () => {
    const entries = await readdir(join(REPOSITORY, 'src'));
    expect(entries.filter((entry) => !NAMES.includes(entry))).toEqual([]);
  });

  it('names only areas that have a row', () => {
    expect(AREAS.flatMap(({ mayImport: allowed }) => allowed).filter((name) => !NAMES.includes(name))).toEqual([]);
  });

  it.each([
    ['ingest', 'db'], ['ingest', 'core'], ['core', 'ingest'], ['core', 'protocols'], ['core', 'live'], ['live', 'core'],
    ['live', 'protocols'], ['auth', 'live'], ['auth', 'db'], ['ingest', 'auth'], ['core', 'auth'],
    ['dead-letters', 'db'], ['dead-letters', 'core'], ['query', 'protocols'], ['query', 'core'], ['protocols', 'ingest'], ['protocols', 'config'],
    ...others('shared').map((area) => ['shared', area]),
    ...['main.ts', 'demo', 'simulator', 'dead-letters'].flatMap((entry) => others(entry).map((area) => [area, entry])),
  ])('keeps %s from %s', (from, to) => {
    expect(mayImport(from, to)).toBe(false);
  });
});

describe('import/no-restricted-paths', () => {
  let findings: Findings;
  beforeAll(async () => {
    findings = await lintTree(tree());
  }, 60_000);

  const reported = ({ from, line }: Import): string[] =>
    (findings.get(sourceOf(from)) ?? [])
      .filter((finding) => finding.line === line && /no-restricted-paths|no-unresolved|fatal/.test(finding.rule))
      .map(({ rule }) => rule);

  it.each(IMPORTS.filter(({ from, to }) => !mayImport(from, to)))('reports $from → $to by $form', (fixture) => {
    expect(reported(fixture)).toEqual(['import/no-restricted-paths']);
  });

  it.each(IMPORTS.filter(({ from, to }) => mayImport(from, to)))('passes $from → $to by $form', (fixture) => {
    expect(findings.has(sourceOf(fixture.from))).toBe(true);
    expect(reported(fixture)).toEqual([]);
  });
});
