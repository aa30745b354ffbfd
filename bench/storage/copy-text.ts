/**
 * What the database takes at its best: rows in a file, in the text format of COPY, and `psql \copy` into a table with
 * the keys and indexes of `positions`. Where the machine has no psql, the same file goes in through pg-copy-streams.
 */
import { execFile } from 'node:child_process';
import { createReadStream, createWriteStream } from 'node:fs';
import { pipeline } from 'node:stream/promises';
import { promisify } from 'node:util';
import { from as copyFrom } from 'pg-copy-streams';
import { POSITION_COLUMNS } from '../../src/core/copy-rows.ts';
import { encodeAttributes } from '../../src/shared/attributes.ts';
import type { TelemetryRecord } from '../../src/shared/model.ts';
import { withClient } from '../support/database.ts';
import type { Sample } from '../support/sample-entries.ts';
import { sampleEntries } from '../support/sample-entries.ts';

const run = promisify(execFile);

const COLUMNS = POSITION_COLUMNS.join(', ');
const NULL = '\\N';

function time(ts: number): string {
  return new Date(ts).toISOString();
}

/** In the order of POSITION_COLUMNS. The number of a device is its id less one: see `createBenchDatabase`. */
function line(device: number, record: TelemetryRecord, receivedAt: string): string {
  const attributes = encodeAttributes(record.attributes).replaceAll('\\', '\\\\');
  const { latitude, longitude, altitude, course, speed, hdop, satellites } = record;
  const place = [latitude, longitude, altitude, course, speed, hdop, satellites].map((value) => value ?? NULL);
  const key = [device + 1, time(record.ts), record.eventId];
  return `${[...key, receivedAt, ...place, record.valid, record.priority, attributes].join('\t')}\n`;
}

function* lines(sample: Sample): Generator<string> {
  const receivedAt = time(Date.now());
  for (const { device, records } of sampleEntries(sample)) {
    yield records.map((record) => line(device, record, receivedAt)).join('');
  }
}

/** Writes the rows that core makes of these records. */
export async function writeCopyText(file: string, sample: Sample): Promise<void> {
  await pipeline(lines(sample), createWriteStream(file));
}

export interface Copier {
  readonly name: string;
  copy(url: string, file: string): Promise<void>;
}

const psql: Copier = {
  name: 'psql \\copy',
  copy: async (url, file) => {
    await run('psql', [url, '--quiet', '--no-psqlrc', '--set=ON_ERROR_STOP=1', '-c', `\\copy positions (${COLUMNS}) from '${file}'`]);
  },
};

const node: Copier = {
  name: 'COPY text through pg-copy-streams',
  copy: (url, file) => withClient(url, (client) =>
    pipeline(createReadStream(file), client.query(copyFrom(`copy positions (${COLUMNS}) from stdin`)))),
};

/** psql, where this machine has it. */
export async function findCopier(): Promise<Copier> {
  try {
    await run('psql', ['--version']);
    return psql;
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return node;
    throw error;
  }
}

