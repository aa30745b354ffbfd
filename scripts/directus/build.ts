/**
 * The two steps of an installation of Directus: its packages, without their install scripts, and the one of them that
 * has to be compiled. A step that fails throws with the end of what it printed.
 *
 * Install scripts would build isolated-vm for the Node that runs npm; Directus dies at its start on one that is built
 * for another Node than its own. The other scripts are for what the tests do not use, such as SQLite.
 */
import { execFile } from 'node:child_process';
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { launch } from '../../src/embedded/unprivileged.ts';

const run = promisify(execFile);

const MAX_OUTPUT_BYTES = 64 * 1024 * 1024;
const SHOWN_LINES = 30;

/** Programs that have to be there; Debian's packages are called as they are. */
const TOOLS = ['npm', 'python3', 'make', 'g++'];

async function runs(program: string): Promise<boolean> {
  try {
    await run(program, ['--version'], { timeout: 30_000 });
    return true;
  } catch (error) {
    if (error instanceof Error) return false;
    throw error;
  }
}

/** @throws Error with what is missing and how to get it */
export async function checkTools(): Promise<void> {
  const present = await Promise.all(TOOLS.map(runs));
  const missing = TOOLS.filter((_, index) => present[index] === false);
  if (missing.length === 0) return;
  const remedy = process.platform === 'darwin' ? 'xcode-select --install' : `for example apt-get install ${missing.join(' ')}`;
  throw new Error(`Directus for the tests cannot be installed without ${missing.join(', ')}: ${remedy}`);
}

interface Output {
  readonly stdout?: string;
  readonly stderr?: string;
}

/** Runs a program to its end; it ends with this process. */
async function step(
  what: string,
  [program, ...args]: readonly [string, ...string[]],
  { cwd, env = process.env }: { readonly cwd: string; readonly env?: NodeJS.ProcessEnv },
): Promise<void> {
  const { command, args: launched } = await launch(program, args, { deathSignal: 'KILL', folder: cwd });
  try {
    await run(command, launched, { cwd, env, maxBuffer: MAX_OUTPUT_BYTES });
  } catch (error) {
    const { stdout = '', stderr = '' } = error as Output;
    const said = `${stdout}\n${stderr}`.trim().split('\n').slice(-SHOWN_LINES).join('\n');
    throw new Error(`${what} failed: ${[program, ...args].join(' ')}\n${said}`, { cause: error });
  }
}

/** The packages of the lock file in `folder`. */
export async function installPackages(folder: string): Promise<void> {
  const quiet = ['--no-audit', '--no-fund', '--loglevel=error'];
  const args = ['ci', '--ignore-scripts', '--omit=dev', '--include=optional', '--prefer-offline', ...quiet];
  await step('the installation of Directus', ['npm', ...args], { cwd: folder });
}

/** node-gyp obeys npm_config_nodedir above its own arguments, and npm passes on the one of a user's configuration. */
function withoutNpmSettings(environment: NodeJS.ProcessEnv): NodeJS.ProcessEnv {
  return Object.fromEntries(Object.entries(environment).filter(([name]) => !/^npm_/i.test(name)));
}

/** Compiles isolated-vm for `node` with the headers in `nodeFolder`, and sees that it loads. */
export async function buildIsolatedVm(modules: string, node: string, nodeFolder: string): Promise<void> {
  const cwd = join(modules, 'isolated-vm');
  const gyp = join(modules, 'node-gyp', 'bin', 'node-gyp.js');
  const env = withoutNpmSettings(process.env);
  const build = ['rebuild', '--release', '-j', 'max', `--nodedir=${nodeFolder}`];
  await step('the build of isolated-vm', [node, gyp, ...build], { cwd, env });
  // Objects of the compiler, 75 MB; what is used lies beside them.
  await rm(join(cwd, 'build'), { recursive: true, force: true });
  await step('a look at isolated-vm', [node, '-e', 'require("isolated-vm")'], { cwd, env });
}
