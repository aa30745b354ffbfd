/** The rules of `eslint/config.js` bite: each fixture breaks one of them, and the same thing done rightly passes. */
import { beforeAll, describe, expect, it } from 'vitest';
import type { Findings } from './lint-tree.ts';
import { lintTree } from './lint-tree.ts';

const SAVE = 'async function save(): Promise<void> {\n  await Promise.reject(new Error("full"));\n}\n'.replaceAll('"', "'");
const LONG_FUNCTION = `export function long(): number {\n  let sum = 0;\n${'  sum += 1;\n'.repeat(50)}  return sum;\n}\n`;
const LONG_FILE = Array.from({ length: 301 }, (_, line) => `export const line${line} = ${line};\n`).join('');

interface Fixture {
  readonly path: string;
  readonly rule: string;
  readonly content: string;
}

const broken: readonly Fixture[] = [
  { path: 'src/core/floating.ts', rule: '@typescript-eslint/no-floating-promises', content: `${SAVE}\nexport function run(): void {\n  save();\n}\n` },
  { path: 'src/core/misused.ts', rule: '@typescript-eslint/no-misused-promises', content: `${SAVE}\nexport function run(items: readonly number[]): void {\n  items.forEach(async () => {\n    await save();\n  });\n}\n` },
  { path: 'src/core/cycle-a.ts', rule: 'import/no-cycle', content: "import { b } from './cycle-b.ts';\n\nexport const a = (): number => b();\n" },
  { path: 'src/core/cycle-b.ts', rule: 'import/no-cycle', content: "import { a } from './cycle-a.ts';\n\nexport const b = (): number => a();\n" },
  { path: 'src/core/any.ts', rule: '@typescript-eslint/no-explicit-any', content: 'export const value: any = 1;\n' },
  { path: 'src/core/non-null.ts', rule: '@typescript-eslint/no-non-null-assertion', content: 'export const first = (items: readonly number[]): number => items[0]!;\n' },
  { path: 'src/core/empty-catch.ts', rule: 'no-restricted-syntax', content: `${SAVE}\nexport async function run(): Promise<void> {\n  try {\n    await save();\n  } catch {\n    // nothing\n  }\n}\n` },
  { path: 'src/core/silent-catch.ts', rule: 'no-restricted-syntax', content: `${SAVE}\nexport const run = (): Promise<void> => save().catch(() => {});\n` },
  { path: 'src/core/barrel.ts', rule: 'no-restricted-syntax', content: "export * from './any.ts';\n" },
  { path: 'src/core/default-export.ts', rule: 'import/no-default-export', content: 'export default 1;\n' },
  { path: 'src/core/console.ts', rule: 'no-console', content: "console.log('started');\n" },
  { path: 'src/core/long-function.ts', rule: 'max-lines-per-function', content: LONG_FUNCTION },
  { path: 'src/core/long-file.ts', rule: 'max-lines', content: LONG_FILE },
  { path: 'src/core/unresolved.ts', rule: 'import/no-unresolved', content: "export { missing } from './nowhere.ts';\n" },
  { path: 'src/core/tool.ts', rule: 'import/no-extraneous-dependencies', content: "export { parse } from 'yaml';\n" },
  { path: 'src/core/from-test.ts', rule: 'import/no-restricted-paths', content: "export { wait } from '../../test/support/wait.ts';\n" },
  { path: 'src/core/env.ts', rule: 'no-restricted-properties', content: 'export const url = process.env.REDIS_URL;\n' },
  { path: 'src/simulator/env.ts', rule: 'no-restricted-properties', content: 'export const { env } = process;\n' },
  { path: 'src/core/env-global.ts', rule: 'no-restricted-syntax', content: 'export const url = globalThis.process.env.REDIS_URL;\n' },
  { path: 'src/core/env-import.ts', rule: '@typescript-eslint/no-restricted-imports', content: "export { env } from 'node:process';\n" },
  { path: 'src/ingest/database.ts', rule: '@typescript-eslint/no-restricted-imports', content: "export { Pool } from 'pg';\n" },
  { path: 'src/protocols/socket.ts', rule: '@typescript-eslint/no-restricted-imports', content: "export { createServer } from 'node:net';\n" },
  { path: 'src/protocols/clock.ts', rule: 'no-restricted-properties', content: 'export const now = (): number => Date.now();\n' },
  { path: 'test/core/title.test.ts', rule: 'no-restricted-syntax', content: "import { it } from 'vitest';\n\nit('should work', () => undefined);\n" },
  { path: 'test/core/sleep.test.ts', rule: 'no-restricted-syntax', content: 'export const pause = (): Promise<void> => new Promise((resolve) => setTimeout(resolve, 100));\n' },
  { path: 'test/core/timers.test.ts', rule: '@typescript-eslint/no-restricted-imports', content: "export { setTimeout } from 'node:timers/promises';\n" },
];

const right: readonly Omit<Fixture, 'rule'>[] = [
  { path: 'src/core/awaited.ts', content: `${SAVE}\nexport async function run(): Promise<void> {\n  await save();\n}\n` },
  { path: 'src/core/database.ts', content: "export { Pool } from 'pg';\n" },
  { path: 'src/core/handled-catch.ts', content: `${SAVE}\nexport const run = (): Promise<boolean> => save().then(() => true, () => false);\n` },
  { path: 'src/main.ts', content: 'export const environment = process.env;\n' },
  { path: 'src/config/env.ts', content: 'export const environment = process.env;\n' },
  { path: 'src/demo/env.ts', content: 'export const path = process.env.PATH;\n' },
  { path: 'src/simulator/main.ts', content: 'export const environment = process.env;\n' },
  { path: 'src/simulator/options.ts', content: 'export const environment = process.env;\n' },
  { path: 'scripts/env.ts', content: 'export const environment = process.env;\n' },
  { path: 'test/core/env.test.ts', content: "import { it } from 'vitest';\n\nit('reads it', () => process.env.PATH);\n" },
  { path: 'test/support/wait.ts', content: "export { setTimeout as wait } from 'node:timers/promises';\n" },
];

describe('lint', () => {
  let findings: Findings;
  beforeAll(async () => {
    findings = await lintTree(new Map([...broken, ...right].map(({ path, content }) => [path, content])));
  }, 60_000);

  it.each(broken)('reports $rule in $path', ({ path, rule }) => {
    expect(findings.get(path)?.map((finding) => finding.rule)).toContain(rule);
  });

  it.each(right)('passes $path', ({ path }) => {
    expect(findings.get(path)).toEqual([]);
  });
});
