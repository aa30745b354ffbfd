/**
 * From the body of a request to records in the stream: read, check, append, report. A JSON body is read as a whole; an
 * NDJSON stream is appended while it comes, what each chunk brought as soon as it is there, with bounded memory.
 *
 * Guarantee: what resolves has made durable every record that its report counts as accepted. In strict mode nothing
 * is appended unless every record can be kept.
 * Errors: `BodyError` and `MalformedBodyError` for what the client can mend, `NotConfirmedError` for what it has to
 * send again; parts of a stream that were appended before stay, and change no row when they come again.
 */
import { isUtf8 } from 'node:buffer';
import { setImmediate } from 'node:timers/promises';
import type { Settings } from '../../config/settings.ts';
import type { RecordReason } from '../../shared/record-reasons.ts';
import type { DevicePolicy } from '../device-policy.ts';
import type { Publisher } from '../publisher.ts';
import { AppendWindow } from './append-window.ts';
import { Collector } from './collector.ts';
import { jsonFault } from './json-fault.ts';
import { LineSplitter } from './lines.ts';
import type { ReportBuilder } from './report.ts';

/** The body as a whole is not what its type says. */
export class MalformedBodyError extends Error {
  override readonly name = 'MalformedBodyError';
}

/** In strict mode: nothing was appended, since not all records can be kept. */
export class StrictRefusal extends Error {
  override readonly name = 'StrictRefusal';
}

export type WriterSettings = Pick<
  Settings,
  'STREAM_PARTITIONS' | 'INGEST_APPEND_TIMEOUT_MS' | 'INGEST_HTTP_MAX_RECORD_BYTES' | 'INGEST_HTTP_MAX_PAST_MS' | 'INGEST_HTTP_MAX_FUTURE_MS'
>;

interface RecordWriterOptions {
  readonly settings: WriterSettings;
  readonly publisher: Pick<Publisher, 'append' | 'congested' | 'impediment'>;
  readonly policy: Pick<DevicePolicy, 'refusalAtLogin'>;
  readonly onAppended: (records: number) => void;
}

export interface WriteOrder {
  /** Whether the caller may write for a device. */
  readonly mayWrite: (deviceId: string) => boolean;
  /** May write records that are older than INGEST_HTTP_MAX_PAST_MS. */
  readonly anyAge: boolean;
  readonly strict: boolean;
  /** Filled while it goes, so that it tells what was kept of a request that has failed. */
  readonly report: ReportBuilder;
}

export type BodyForm = 'json' | 'ndjson';

/** Elements of an array that are checked in one turn of the event loop. */
const ARRAY_PART = 500;
const LINES_PART_BYTES = 64 * 1024;
const BYTE_ORDER_MARK = Buffer.from([0xef, 0xbb, 0xbf]);

/** What is true of one request while it is written. */
class Writing {
  readonly #report: ReportBuilder;
  readonly #window: AppendWindow;
  readonly #collector: Collector;
  readonly #strict: boolean;

  constructor(options: RecordWriterOptions, { mayWrite, anyAge, strict, report }: WriteOrder) {
    const { settings, publisher, policy, onAppended } = options;
    this.#report = report;
    this.#strict = strict;
    this.#window = new AppendWindow({
      publisher,
      timeoutMs: settings.INGEST_APPEND_TIMEOUT_MS,
      onAppended: (records) => {
        report.accepted += records;
        onAppended(records);
      },
    });
    const refusalOf = (deviceId: string): RecordReason | null =>
      (mayWrite(deviceId) ? policy.refusalAtLogin(deviceId) : 'forbidden');
    this.#collector = new Collector({
      limits: {
        maxPastMs: anyAge ? Infinity : settings.INGEST_HTTP_MAX_PAST_MS,
        maxFutureMs: settings.INGEST_HTTP_MAX_FUTURE_MS,
        maxRecordBytes: settings.INGEST_HTTP_MAX_RECORD_BYTES,
      },
      partitions: settings.STREAM_PARTITIONS, refusalOf, report,
    });
  }

  get collector(): Collector {
    return this.#collector;
  }

  /** What was collected so far may go out, but for strict mode. */
  async step(): Promise<void> {
    if (!this.#strict) await this.#window.append(this.#collector.take());
  }

  /** Waits for what is on its way when the rest of the body cannot be read: what is told of it is true then. */
  async abandon(): Promise<void> {
    await this.#window.settle();
  }

  async finish(): Promise<void> {
    if (this.#strict && this.#report.rejected > 0) throw new StrictRefusal();
    await this.#window.append(this.#collector.take());
    await this.#window.drain();
  }
}

function parseBody(body: Buffer): unknown {
  if (!isUtf8(body)) throw new MalformedBodyError('expected UTF-8');
  const text = withoutMark(body).toString();
  if (text.trim() === '') throw new MalformedBodyError('expected a record, or an array of records, got nothing');
  try {
    return JSON.parse(text);
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error;
    const { line, column } = jsonFault(text);
    throw new MalformedBodyError(`not JSON from line ${line}, column ${column} on`);
  }
}

function withoutMark(bytes: Buffer): Buffer {
  const { length } = BYTE_ORDER_MARK;
  return bytes.subarray(0, length).equals(BYTE_ORDER_MARK) ? bytes.subarray(length) : bytes;
}

function* partsOf(body: Buffer): Generator<Buffer, void, undefined> {
  for (let at = 0; at < body.length; at += LINES_PART_BYTES) yield body.subarray(at, at + LINES_PART_BYTES);
}

export class RecordWriter {
  readonly #options: RecordWriterOptions;

  constructor(options: RecordWriterOptions) {
    this.#options = options;
  }

  /** A body that was read as a whole. */
  async writeWhole(form: BodyForm, body: Buffer, order: WriteOrder): Promise<void> {
    await (form === 'ndjson' ? this.writeLines(partsOf(body), order) : this.#writeArray(parseBody(body), order));
  }

  /** An NDJSON stream, appended while it comes. */
  async writeLines(chunks: AsyncIterable<Buffer> | Iterable<Buffer>, order: WriteOrder): Promise<void> {
    const writing = new Writing(this.#options, order);
    try {
      await this.#collectLines(chunks, writing);
    } catch (error) {
      await writing.abandon();
      throw error;
    }
    await writing.finish();
  }

  async #collectLines(chunks: AsyncIterable<Buffer> | Iterable<Buffer>, writing: Writing): Promise<void> {
    const { collector } = writing;
    const lines = new LineSplitter(this.#options.settings.INGEST_HTTP_MAX_RECORD_BYTES);
    let index = 0;
    let isFirst = true;
    for await (const chunk of chunks) {
      for (const line of lines.push(isFirst ? withoutMark(chunk) : chunk)) collector.addLine(line, index++);
      isFirst = false;
      await writing.step();
      await setImmediate();
    }
    for (const line of lines.end()) collector.addLine(line, index++);
  }

  async #writeArray(parsed: unknown, order: WriteOrder): Promise<void> {
    if (typeof parsed !== 'object' || parsed === null) throw new MalformedBodyError('expected a record, or an array of records');
    const records: readonly unknown[] = Array.isArray(parsed) ? parsed : [parsed];
    const writing = new Writing(this.#options, order);
    for (let at = 0; at < records.length; at += ARRAY_PART) {
      const part = records.slice(at, at + ARRAY_PART);
      for (const [offset, record] of part.entries()) writing.collector.add(record, at + offset);
      if (at + ARRAY_PART >= records.length) break;
      await writing.step();
      await setImmediate();
    }
    await writing.finish();
  }
}
