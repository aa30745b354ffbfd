/** The samples of a run as a CSV file (RFC 4180): one line a second, for a plot. A failed write rejects in `close`. */
import { createWriteStream } from 'node:fs';
import { once } from 'node:events';
import { finished } from 'node:stream/promises';
import type { Sample } from './sampler.ts';

type Column = readonly [name: string, value: (sample: Sample) => string];

const decimal = (value: number | null): string => (value === null ? '' : String(Math.round(value * 1_000) / 1_000));

const COLUMNS: readonly Column[] = [
  ['elapsed_s', ({ elapsedMs }) => decimal(elapsedMs / 1_000)],
  ['connected', ({ connected }) => String(connected)],
  ['made_per_s', ({ madePerSecond }) => decimal(madePerSecond)],
  ['sent_per_s', ({ sentPerSecond }) => decimal(sentPerSecond)],
  ['acknowledged_per_s', ({ acknowledgedPerSecond }) => decimal(acknowledgedPerSecond)],
  ['unacknowledged', ({ unacknowledged }) => String(unacknowledged)],
  ['resent', ({ resent }) => String(resent)],
  ['errors', ({ errors }) => String(errors)],
  ['consumer_lag_entries', ({ lag }) => decimal(lag)],
  ['ack_p50_ms', ({ p50Ms }) => decimal(p50Ms)],
  ['ack_p99_ms', ({ p99Ms }) => decimal(p99Ms)],
];

export const CSV_HEADER: string = COLUMNS.map(([name]) => name).join(',');

export function csvLine(sample: Sample): string {
  return COLUMNS.map(([, value]) => value(sample)).join(',');
}

export interface CsvFile {
  write(sample: Sample): void;
  close(): Promise<void>;
}

/** Creates the file, or empties it. @throws when it cannot be written. */
export async function createCsvFile(path: string): Promise<CsvFile> {
  const stream = createWriteStream(path);
  await once(stream, 'open');
  // The failure is for `close`; until then it must not end the process.
  const outcome = finished(stream).then(() => null, (error: unknown) => ({ error }));
  stream.write(`${CSV_HEADER}\n`);
  return {
    write: (sample) => { stream.write(`${csvLine(sample)}\n`); },
    async close() {
      stream.end();
      const failure = await outcome;
      if (failure !== null) throw failure.error;
    },
  };
}
