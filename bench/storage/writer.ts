/**
 * The writer of core, from entries as Redis delivers them to COMMIT, which may be given any record twice; next to
 * `psql \copy` of the same rows into a table of the same definition, which fails on the first that is there. And the
 * writer once more with a tenth of the frames sent again, as trackers do after a lost acknowledgement.
 */
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { Client } from 'pg';
import type { Benchmark, BenchOptions, Outcome } from '../benchmark.ts';
import { checkPositions, createBenchDatabase, emptyPositions, withClient } from '../support/database.ts';
import { takeTurns } from '../support/rounds.ts';
import { imeisOf } from '../support/sample-frames.ts';
import { over } from '../support/statistics.ts';
import { CpuMeter } from '../support/usage.ts';
import { findCopier, writeCopyText } from './copy-text.ts';
import type { EntryFields } from './core-writer.ts';
import { CoreWriter, entryFieldsOf } from './core-writer.ts';

const DEVICES = 500;
const RECORDS_PER_FRAME = 10;
const RESENT_EVERY = 10;

interface Round {
  readonly rowsPerSecond: number;
  readonly nodeMicros: number;
  readonly postgresMicros: number;
}

/** Every tenth entry once more, a batch or two behind itself. */
function withResent(entries: readonly EntryFields[]): EntryFields[] {
  const behind = 30 * RESENT_EVERY;
  return entries.flatMap((entry, n) => {
    const again = n % RESENT_EVERY === 0 ? entries[n - behind] : undefined;
    return again === undefined ? [entry] : [entry, again];
  });
}

async function run({ servers, quick }: BenchOptions): Promise<Outcome> {
  const recordsEach = quick ? 100 : 600;
  const sample = { devices: DEVICES, firstRecord: 0, recordsEach, recordsPerFrame: RECORDS_PER_FRAME };
  const rows = sample.devices * sample.recordsEach;
  const entries = entryFieldsOf(sample);
  const resent = withResent(entries);
  const file = join(servers.folder, 'positions.copy');
  await writeCopyText(file, sample);
  const copier = await findCopier();
  const url = await createBenchDatabase(servers, imeisOf(DEVICES));
  const writer = new CoreWriter(url);
  const meter = new CpuMeter({ node: process.pid, postgres: servers.postgres.pid });
  const measure = async (client: Client, given: number, work: () => Promise<void>): Promise<Round> => {
    await emptyPositions(client);
    await meter.start();
    const startedAt = performance.now();
    await work();
    const seconds = (performance.now() - startedAt) / 1_000;
    const { node = Number.NaN, postgres = Number.NaN } = await meter.microsEach(given);
    await checkPositions(client, rows);
    return { rowsPerSecond: given / seconds, nodeMicros: node, postgresMicros: postgres };
  };
  const rounds = await withClient(url, (client) => takeTurns({
    copy: () => measure(client, rows, () => copier.copy(url, file)),
    core: () => measure(client, rows, () => writer.write(entries, RECORDS_PER_FRAME)),
    resent: () => measure(client, resent.length * RECORDS_PER_FRAME, () => writer.write(resent, RECORDS_PER_FRAME)),
  }, quick ? 3 : 7));
  await writer.stop();
  await rm(file);
  const of = (which: readonly Round[], what: keyof Round): number[] => which.map((round) => round[what]);
  const speed = (which: readonly Round[]): number[] => of(which, 'rowsPerSecond');
  return {
    figures: [
      { name: copier.name, unit: 'rows/s', values: speed(rounds.copy) },
      { name: 'writer', unit: 'rows/s', values: speed(rounds.core) },
      { name: 'writer, every tenth frame twice', unit: 'rows given/s', values: speed(rounds.resent) },
      { name: `${copier.name}, CPU of PostgreSQL a row`, unit: 'µs', values: of(rounds.copy, 'postgresMicros') },
      { name: 'writer, CPU of PostgreSQL a row', unit: 'µs', values: of(rounds.core, 'postgresMicros') },
      { name: 'writer, CPU of Node a row', unit: 'µs', values: of(rounds.core, 'nodeMicros') },
      { name: 'writer, every tenth frame twice, CPU of PostgreSQL a row', unit: 'µs', values: of(rounds.resent, 'postgresMicros') },
    ],
    ratios: [
      { name: 'writer ÷ COPY text', goal: 'at least 0.6', values: over(speed(rounds.core), speed(rounds.copy)) },
      { name: 'writer, every tenth frame twice ÷ COPY text', goal: 'no goal', values: over(speed(rounds.resent), speed(rounds.copy)) },
    ],
  };
}

export const writer: Benchmark = {
  name: 'writer',
  what: `entries of ${RECORDS_PER_FRAME} records of ${DEVICES} devices into positions and device_state, next to COPY of the rows`,
  run,
};
