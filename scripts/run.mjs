/**
 * How every npm script starts: `node scripts/run.mjs <file.ts | tool> [arguments]`.
 *
 * Plain JavaScript without dependencies, for any Node from 18 on: it makes sure that the npm packages are those of
 * package-lock.json, that Redis is there for what starts one, and that a Node runs that is new enough for this project;
 * then it runs the TypeScript file or the tool with it, and ends as that ended. The child never outlives this process.
 */
import { spawn, spawnSync } from 'node:child_process';
import { realpathSync } from 'node:fs';
import { constants } from 'node:os';
import { performance } from 'node:perf_hooks';
import { clearInterval, setInterval } from 'node:timers';
import { delimiter, dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { ensureNode } from './bootstrap/node-runtime.mjs';
import { ensurePackages } from './bootstrap/packages.mjs';
import { ensureChromium, ensureRedis } from './bootstrap/system-packages.mjs';

const ROOT = resolve(dirname(fileURLToPath(import.meta.url)), '..');
const PARENT_POLL_MS = 500;
const SAME_REQUEST_MS = 1_000;

/** Whether a run of the tests has one of these steps; a run that names none has all that need npm alone. */
function tests(target, args, ...wanted) {
  if (target !== 'scripts/test.ts') return false;
  const end = args.indexOf('--');
  const steps = end < 0 ? args : args.slice(0, end);
  return steps.length === 0 || steps.some((step) => wanted.includes(step));
}

/** Whether what is to run starts a Redis of its own. */
function startsRedis(target, args) {
  if (args.includes('--help')) return false;
  if (target === 'src/main.ts') return !process.env.REDIS_URL;
  return target === 'src/demo/main.ts' || target === 'test/faults/main.ts' || target.startsWith('bench/') || tests(target, args, 'integration', 'browser', 'directus');
}

function commandFor(node, target, args) {
  const isFile = target.endsWith('.ts');
  const program = isFile ? resolve(ROOT, target) : realpathSync(join(ROOT, 'node_modules', '.bin', target));
  // The demo tells how long it took from here to the first stored record.
  const started = target === 'src/demo/main.ts' ? ['--started-at', String(Math.round(performance.timeOrigin))] : [];
  const command = [node, program, ...args, ...started];
  // Linux ends the child with this process, even when this process is killed.
  const bound = spawnSync('setpriv', ['--pdeathsig', 'TERM', 'true']).status === 0;
  return bound ? ['setpriv', '--pdeathsig', 'TERM', ...command] : command;
}

/**
 * The child is in a process group of its own, and one request to end reaches it once: a Ctrl-C comes here from the
 * terminal and again from npm, and `timeout` signals npm and the whole group. What comes a second later is a new
 * request. A Ctrl-C goes to the child's whole group, as from a terminal. A terminal that is gone (SIGHUP) counts as
 * SIGTERM, and so does the end of npm, or of the shell between, without a signal to us.
 */
function passSignals(child) {
  let passedAt = -SAME_REQUEST_MS;
  const pass = (signal) => {
    if (performance.now() - passedAt < SAME_REQUEST_MS) return;
    passedAt = performance.now();
    if (child.exitCode !== null || child.signalCode !== null) return;
    if (signal === 'SIGINT') process.kill(-child.pid, signal);
    else child.kill('SIGTERM');
  };
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(signal, pass);
  if (process.env.npm_lifecycle_event === undefined) return;
  const parent = process.ppid;
  const watch = setInterval(() => {
    if (process.ppid === parent) return;
    clearInterval(watch);
    if (passedAt < 0) pass('SIGTERM');
  }, PARENT_POLL_MS);
  watch.unref();
}

/** @param node what `node` means to the child and to its children. */
function run(node, [command, ...args]) {
  const path = [dirname(node), join(ROOT, 'node_modules', '.bin'), process.env.PATH].join(delimiter);
  const child = spawn(command, args, { cwd: ROOT, stdio: 'inherit', env: { ...process.env, PATH: path }, detached: true });
  child.on('spawn', () => passSignals(child));
  child.on('error', (error) => {
    console.error(`${command}: ${error.message}`);
    process.exit(1);
  });
  child.on('exit', (code, signal) => process.exit(code ?? 128 + (constants.signals[signal] ?? 0)));
}

const [target, ...args] = process.argv.slice(2);
if (target === undefined) {
  console.error('usage: node scripts/run.mjs <file.ts | tool> [arguments]');
  process.exit(2);
}
await ensurePackages(ROOT);
if (startsRedis(target, args)) ensureRedis();
if (tests(target, args, 'browser')) ensureChromium();
const node = ensureNode(ROOT);
run(node, commandFor(node, target, args));
