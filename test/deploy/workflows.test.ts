/** The workflows call what exists, and rely on nothing that Gitea ignores. */
import { access, constants } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { readText, readYaml, REPOSITORY } from './files.ts';

interface Step {
  readonly uses?: string;
  readonly run?: string;
}

interface Job {
  readonly steps: readonly Step[];
  readonly needs?: string;
  readonly container?: string;
}

interface Workflow {
  readonly on: unknown;
  readonly jobs: Readonly<Record<string, Job>>;
}

const FILES = ['.gitea/workflows/check.yml', '.gitea/workflows/image.yml'];
const IGNORED_BY_GITEA = ['concurrency', 'permissions', 'timeout-minutes', 'continue-on-error', 'environment'];

const stepsOf = ({ jobs }: Workflow): readonly Step[] => Object.values(jobs).flatMap(({ steps }) => steps);

function keysOf(value: unknown): string[] {
  if (typeof value !== 'object' || value === null) return [];
  return Object.entries(value).flatMap(([key, inner]) => [key, ...keysOf(inner)]);
}

describe.each(FILES)('%s', (file) => {
  it('uses no action but checkout', async () => {
    const used = stepsOf(await readYaml<Workflow>(file)).flatMap(({ uses }) => uses ?? []);
    expect([...new Set(used)]).toEqual(['actions/checkout@v4']);
  });

  it('relies on no key that Gitea ignores', async () => {
    const keys = keysOf(await readYaml<Workflow>(file));
    expect(keys.filter((key) => IGNORED_BY_GITEA.includes(key))).toEqual([]);
  });

  it('calls files that can be run', async () => {
    const commands = stepsOf(await readYaml<Workflow>(file)).flatMap(({ run }) => run ?? []);
    const called = commands.flatMap((command) => command.match(/\.(?:ci|gitea)\/[\w.-]+/g) ?? []);
    expect(called).toContain('.ci/run');
    for (const path of called) {
      await expect(access(join(REPOSITORY, path), path.endsWith('.mjs') ? constants.R_OK : constants.X_OK)).resolves.toBeUndefined();
    }
  });

  it('runs on the Node version of .nvmrc', async () => {
    const { jobs } = await readYaml<Workflow>(file);
    const containers = Object.values(jobs).flatMap(({ container }) => container ?? []);
    const major = (await readText('.nvmrc')).trim();
    expect(containers.length).toBeGreaterThan(0);
    expect(containers.filter((container) => container !== `node:${major}-bookworm`)).toEqual([]);
  });
});

it('checks every push and every pull request', async () => {
  expect((await readYaml<Workflow>('.gitea/workflows/check.yml')).on).toEqual({ push: { branches: ['**'] }, pull_request: null });
});

it('pushes an image only of main and of versions, and only of what was checked', async () => {
  const { on, jobs } = await readYaml<Workflow>('.gitea/workflows/image.yml');
  expect(on).toEqual({ push: { branches: ['main'], tags: ['v*'] } });
  expect([jobs['check']?.needs, jobs['image']?.needs, jobs['deploy']?.needs]).toEqual(['changes', 'check', 'image']);
});
