/**
 * `npm run test:faults [-- --long --only <part of a name>… --seed <n>]`: breaks every part of a running Odograph under
 * load, several times at random instants, and proves each time that nothing acknowledged is lost or stored twice. Two
 * worlds run at a time, for most of a trial is waiting. Exits with 1 where anything is wrong; the seed repeats a run.
 */
import { readFile, writeFile } from 'node:fs/promises';
import { cpus } from 'node:os';
import { Command, InvalidArgumentError } from 'commander';
import { postgresForTests } from '../support/local-servers.ts';
import { makeRunFolder, removeRunFolder } from '../support/run-folder.ts';
import { FAULTS } from './catalogue.ts';
import { withResults, withSomeResults } from './document.ts';
import type { Fault } from './fault.ts';
import { unmountAll } from './faults/disk.ts';
import { line, rowOf, table } from './table.ts';
import type { Trial } from './trial.ts';
import { tryFault } from './trial.ts';
import { worldFolder } from './world/world.ts';

// Every child of a run ends with it.
process.setMaxListeners(0);

const DOCUMENT = new URL('../../docs/reliability.md', import.meta.url);
const WORLDS_AT_ONCE = 2;
const SHORT_LOAD = { devices: 120, rate: 2_500 };
const LONG_LOAD = { devices: 150, rate: 3_000 };

interface Options {
  readonly long: boolean;
  readonly only: readonly string[];
  readonly seed: number;
  readonly write: boolean;
}

function seedOf(text: string): number {
  const seed = Number(text);
  if (!Number.isInteger(seed) || seed < 0) throw new InvalidArgumentError('expected a whole number from 0.');
  return seed;
}

function readOptions(): Options {
  const command = new Command('npm run test:faults --')
    .description('Breaks every part of Odograph under load and proves that nothing acknowledged is lost or stored twice.')
    .option('--long', 'more injections under more load', false)
    .option('--only <name...>', 'faults with one of these in their name', [])
    .option('--seed <n>', 'repeats a run', seedOf, Math.floor(Math.random() * 1_000_000))
    .option('--write', 'write the results into the table of docs/reliability.md', false)
    .parse();
  return command.opts();
}

function chosen({ only }: Options): readonly Fault[] {
  const faults = FAULTS.filter(({ name }) => only.length === 0 || only.some((part) => name.includes(part)));
  if (faults.length > 0) return faults;
  process.stderr.write(`--only: no such fault; there are\n${FAULTS.map(({ name }) => `  ${name}\n`).join('')}`);
  process.exit(2);
}

/** The longest first, so that no lane has one left at the end. */
async function tryAll(faults: readonly Fault[], options: Options, runFolder: string): Promise<Trial[]> {
  const waiting = faults.map((fault, index) => ({ fault, index }));
  const trials: Trial[] = [];
  const lane = async (): Promise<void> => {
    for (let next = waiting.shift(); next !== undefined; next = waiting.shift()) {
      const { fault, index } = next;
      const reason = (await fault.impossible?.(runFolder)) ?? null;
      if (reason !== null) {
        process.stdout.write(`  left out: ${fault.name}: ${reason}\n`);
        continue;
      }
      const { long, seed } = options;
      const load = long ? LONG_LOAD : SHORT_LOAD;
      const trial = await tryFault(fault, { folder: worldFolder(runFolder, index), seed, long, load });
      trials.push(trial);
      process.stdout.write(`${line(trial)}\n`);
    }
  };
  await Promise.all(Array.from({ length: WORLDS_AT_ONCE }, lane));
  return trials.toSorted((a, b) => faults.indexOf(a.fault) - faults.indexOf(b.fault));
}

/** What has failed is to be mended, not to be written down. @throws Error where the document has no place for it */
async function write(trials: readonly Trial[], { long, only, seed }: Options, storage: string): Promise<void> {
  const load = `${cpus().length} CPUs, ${storage}`;
  const description = `${long ? 'Long' : 'Short'} form, seed ${seed}, Node.js ${process.versions.node}, ${load}.`;
  const passed = trials.filter(({ problems }) => problems.length === 0);
  const edit = only.length === 0 ? withResults : withSomeResults;
  await writeFile(DOCUMENT, edit(await readFile(DOCUMENT, 'utf8'), passed, description));
}

async function run(options: Options): Promise<boolean> {
  const faults = chosen(options);
  const { major, timescaledb } = await postgresForTests();
  const storage = `PostgreSQL ${major} with ${timescaledb ? 'TimescaleDB' : 'native partitions'}`;
  process.stdout.write(`${faults.length} faults, seed ${options.seed}, ${storage}\n`);
  const startedAt = performance.now();
  unmountAll();
  const runFolder = await makeRunFolder();
  let ending: Promise<void> | undefined;
  const interrupted = (): void => {
    unmountAll();
    ending ??= removeRunFolder(runFolder).finally(() => { process.exit(130); });
  };
  // What comes again while everything is being ended changes nothing.
  process.on('SIGINT', interrupted).on('SIGTERM', interrupted);
  const trials = await tryAll(faults, options, runFolder);
  await removeRunFolder(runFolder);
  const failed = trials.filter(({ problems }) => problems.length > 0);
  process.stdout.write(`\n${table(trials.map(rowOf))}\n`);
  if (options.write) await write(trials, options, storage);
  const minutes = ((performance.now() - startedAt) / 60_000).toFixed(1);
  const counts = [...(failed.length > 0 ? [`${failed.length} failed`] : []), `${trials.length - failed.length} passed`];
  process.stdout.write(`\n Tests  ${counts.join(' | ')} (${trials.length}) in ${minutes} min, seed ${options.seed}\n`);
  return failed.length === 0 && trials.length > 0;
}

process.exit((await run(readOptions())) ? 0 : 1);
