/**
 * A small tree in the shape of this repository, linted with the repository's own configuration. Fixtures are real files
 * with real targets, since a rule about imports passes whatever it cannot resolve.
 */
import { copyFile, mkdtemp, mkdir, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join, relative, resolve } from 'node:path';
import { ESLint } from 'eslint';
import { lintConfig } from '../../eslint/config.js';

export const REPOSITORY = resolve(import.meta.dirname, '../..');

/** Path in the tree → content. */
export type Tree = ReadonlyMap<string, string>;

export interface Finding {
  /** Name of the rule, or what the parser said. */
  readonly rule: string;
  /** From 1. */
  readonly line: number;
}

/** Path in the tree → what was reported for it. */
export type Findings = ReadonlyMap<string, readonly Finding[]>;

const TSCONFIG = {
  extends: join(REPOSITORY, 'tsconfig.json'),
  compilerOptions: { types: ['node'] },
  include: ['src', 'test', 'scripts'],
};

async function write(root: string, tree: Tree): Promise<void> {
  const files = new Map([...tree, ['tsconfig.json', JSON.stringify(TSCONFIG)]]);
  for (const [path, content] of files) {
    await mkdir(dirname(join(root, path)), { recursive: true });
    await writeFile(join(root, path), content);
  }
  await copyFile(join(REPOSITORY, 'package.json'), join(root, 'package.json'));
  await symlink(join(REPOSITORY, 'node_modules'), join(root, 'node_modules'));
}

/** Lints all of a tree at once, in a folder that is gone afterwards. */
export async function lintTree(tree: Tree): Promise<Findings> {
  const root = await mkdtemp(join(tmpdir(), 'odograph-lint-'));
  try {
    await write(root, tree);
    const eslint = new ESLint({ cwd: root, overrideConfigFile: true, overrideConfig: lintConfig(root) });
    const results = await eslint.lintFiles(['.']);
    return new Map(
      results.map((result) => [
        relative(root, result.filePath),
        result.messages.map(({ ruleId, message, line }) => ({ rule: ruleId ?? `fatal: ${message}`, line })),
      ]),
    );
  } finally {
    await rm(root, { recursive: true, force: true });
  }
}
