/**
 * What a position costs the writer and PostgreSQL while there are more devices, and while more is stored already: it is
 * not to grow. A database for each size, written to in turns.
 */
import type { Benchmark, BenchOptions, Figure, Outcome, Ratio } from '../benchmark.ts';
import { withClient } from '../support/database.ts';
import { takeTurns } from '../support/rounds.ts';
import { over } from '../support/statistics.ts';
import { CpuMeter } from '../support/usage.ts';
import { CoreWriter, entryFieldsOf } from './core-writer.ts';
import { historyDatabase, nextRecord } from './history.ts';

const RECORDS_PER_FRAME = 10;
/** Positions of a round: ten records of each of the devices where there are most. */
const POSITIONS = 100_000;
const MILLION = 1_000_000;

interface Size {
  readonly devices: number;
  readonly rows: number;
}

interface Round {
  readonly perSecond: number;
  readonly micros: number;
}

function nameOf({ devices, rows }: Size): string {
  return `${devices.toLocaleString('en')} devices, ${rows / MILLION} million rows`;
}

interface Sizes {
  readonly byDevices: readonly Size[];
  readonly byRows: readonly Size[];
}

/** The first of each list is what the others are compared with. */
function sizesOf({ quick, large }: BenchOptions): Sizes {
  const rows = quick ? [MILLION / 10, MILLION] : [MILLION, 10 * MILLION, ...(large ? [100 * MILLION] : [])];
  const [few = 0] = rows;
  return {
    byDevices: (quick ? [100, 10_000] : [100, 1_000, 10_000]).map((devices) => ({ devices, rows: few })),
    byRows: rows.map((count) => ({ devices: 1_000, rows: count })),
  };
}

/** A function that writes the next records of every device and says what that took. */
async function prepare(options: BenchOptions, size: Size): Promise<() => Promise<Round>> {
  const { devices } = size;
  const url = await historyDatabase(options, size);
  const writer = new CoreWriter(url);
  // PostgreSQL is among the children of this process.
  const meter = new CpuMeter({ all: process.pid });
  const recordsEach = POSITIONS / devices;
  let firstRecord = await withClient(url, nextRecord);
  return async () => {
    const entries = entryFieldsOf({ devices, firstRecord, recordsEach, recordsPerFrame: RECORDS_PER_FRAME });
    firstRecord += recordsEach;
    await withClient(url, (client) => client.query('checkpoint'));
    await meter.start();
    const startedAt = performance.now();
    await writer.write(entries, RECORDS_PER_FRAME);
    const seconds = (performance.now() - startedAt) / 1_000;
    const { all = Number.NaN } = await meter.microsEach(POSITIONS);
    return { perSecond: POSITIONS / seconds, micros: all };
  };
}

function figuresOf(name: string, rounds: readonly Round[]): Figure[] {
  return [
    { name: `${name}, stored`, unit: 'positions/s', values: rounds.map(({ perSecond }) => perSecond) },
    { name: `${name}, CPU of writer and PostgreSQL a position`, unit: 'µs', values: rounds.map(({ micros }) => micros) },
  ];
}

/** Every size over the first of its list. */
function ratiosOf(sizes: readonly Size[], rounds: Readonly<Record<string, readonly Round[]>>): Ratio[] {
  const [first, ...others] = sizes.map(nameOf);
  const base = rounds[first ?? ''] ?? [];
  return others.flatMap((name) => {
    const own = rounds[name] ?? [];
    const cpu = over(own.map(({ micros }) => micros), base.map(({ micros }) => micros));
    const time = over(base.map(({ perSecond }) => perSecond), own.map(({ perSecond }) => perSecond));
    return [
      { name: `CPU a position, ${name} ÷ ${first}`, goal: 'at most 1.15', values: cpu },
      { name: `time a position, ${name} ÷ ${first}`, goal: 'at most 1.15', values: time },
    ];
  });
}

async function run(options: BenchOptions): Promise<Outcome> {
  const { byDevices, byRows } = sizesOf(options);
  const sizes = new Map([...byDevices, ...byRows].map((size) => [nameOf(size), size]));
  const contestants: Record<string, () => Promise<Round>> = {};
  for (const [name, size] of sizes) contestants[name] = await prepare(options, size);
  const rounds = await takeTurns<string, Round>(contestants, options.quick ? 2 : 7);
  return {
    figures: [...sizes.keys()].flatMap((name) => figuresOf(name, rounds[name] ?? [])),
    ratios: [...ratiosOf(byDevices, rounds), ...ratiosOf(byRows, rounds)],
  };
}

export const growth: Benchmark = {
  name: 'growth',
  what: 'the writer with 100, 1,000 and 10,000 devices, and over 1 and 10 million rows (100 too with --large)',
  run,
};
