/** `.gitea/code-changed` tells a change of documents from any other, in a repository of its own. */
import { execFile } from 'node:child_process';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { REPOSITORY } from './files.ts';

const run = promisify(execFile);
const IDENTITY = ['-c', 'user.name=test', '-c', 'user.email=test@example.com', '-c', 'commit.gpgsign=false'];
let folder: string;

async function git(...args: string[]): Promise<string> {
  return (await run('git', [...IDENTITY, ...args], { cwd: folder })).stdout.trim();
}

async function commit(...paths: string[]): Promise<string> {
  for (const path of paths) {
    await mkdir(dirname(join(folder, path)), { recursive: true });
    await writeFile(join(folder, path), `${Math.random()}`);
  }
  await git('add', '.');
  await git('commit', '--quiet', '--message', paths.join());
  return await git('rev-parse', 'HEAD');
}

const codeChanged = async (base: string): Promise<string> =>
  (await run(join(REPOSITORY, '.gitea/code-changed'), [base], { cwd: folder })).stdout.trim();

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'odograph-changes-'));
  await git('init', '--quiet');
});

afterAll(() => rm(folder, { recursive: true, force: true }));

it.each([
  [['README.md'], 'false'],
  [['docs/picture.svg', 'CHANGELOG.md'], 'false'],
  [['LICENSE'], 'false'],
  [['src/main.ts'], 'true'],
  [['docs/architecture.md', 'package.json'], 'true'],
  [['src/docs/table.ts'], 'true'],
  [['src/LICENSE'], 'true'],
])('says of a change of %s: %s', async (paths, expected) => {
  const base = await commit('base.md');
  await commit(...paths);
  expect(await codeChanged(base)).toBe(expected);
});

it.each(['', '0000000000000000000000000000000000000000', 'no-such-commit'])('takes an unknown base (%j) for a change', async (base) => {
  await commit('README.md');
  expect(await codeChanged(base)).toBe('true');
});
