/**
 * One file: read, batch, send several batches at once, and remember how far the server has taken it. Memory is bounded
 * by the batches under way, whatever the size of the file.
 *
 * Errors: what ends it is thrown after the state was written, so that `--resume` goes on from there.
 */
import type { RecordLimits } from '../ingest/http/record.ts';
import { checkRecord, isFault } from '../ingest/http/record.ts';
import { FORMATS } from './formats/registry.ts';
import type { FormatName } from './formats/registry.ts';
import type { Input } from './input.ts';
import { bytesOf } from './input.ts';
import type { Fields, Item, ReadOptions } from './item.ts';
import type { ImportProgress } from './progress.ts';
import type { Rejects } from './rejects.ts';
import type { Report } from './report.ts';
import { countRejected } from './report.ts';
import type { Sender } from './sender.ts';
import { writeState } from './state.ts';

export interface ImportJob {
  readonly input: Input;
  readonly format: FormatName;
  readonly options: ReadOptions;
  /** null: nothing is sent, records are only checked. */
  readonly sender: Sender | null;
  readonly batchRecords: number;
  readonly inFlight: number;
  readonly rejects: Rejects | null;
  readonly progress: ImportProgress;
  readonly interrupted: AbortSignal;
  readonly stateFile: string;
  /** Items that earlier runs have brought there. */
  readonly skip: number;
  readonly report: Report;
}

/** Of the text of a batch: half of what the server holds by default. */
const MAX_BATCH_CHARACTERS = 2 * 1024 * 1024;
const STATE_INTERVAL_MS = 2_000;
/** Of a dry run: what the settings of the server say about time is not known here. */
const DRY_RUN_LIMITS: Omit<RecordLimits, 'now'> = { maxPastMs: Infinity, maxFutureMs: 300_000, maxRecordBytes: 64 * 1024 };

interface Batch {
  /** With how many items of the file the file is done up to here. */
  items: number;
  readonly records: { readonly at: number; readonly record: Fields }[];
  readonly unreadable: Extract<Item, { kind: 'unreadable' }>[];
  characters: number;
}

function emptyBatch(items: number): Batch {
  return { items, records: [], unreadable: [], characters: 0 };
}

class Import {
  readonly #job: ImportJob;
  #underWay: { readonly batch: Batch; readonly done: Promise<void> }[] = [];
  #acknowledged: number;
  #stateAt = performance.now();

  constructor(job: ImportJob) {
    this.#job = job;
    this.#acknowledged = job.skip;
  }

  async run(): Promise<void> {
    try {
      await this.#read();
      while (this.#underWay.length > 0) await this.#settleOldest();
    } finally {
      // What is on its way is waited for: what it brings is told, and counted when it comes in its turn.
      await Promise.allSettled(this.#underWay.map(({ done }) => done));
      await this.#saveState();
    }
  }

  async #read(): Promise<void> {
    const { input, format, options, skip, progress, interrupted, batchRecords } = this.#job;
    let items = 0;
    let batch = emptyBatch(skip);
    for await (const part of FORMATS[format].reader(bytesOf(input, (bytes) => { progress.read(bytes); }), options)) {
      for (const item of part) {
        items += 1;
        if (items <= skip) continue;
        add(batch, item, items);
        if (batch.records.length < batchRecords && batch.characters < MAX_BATCH_CHARACTERS) continue;
        await this.#start(batch);
        batch = emptyBatch(items);
        if (interrupted.aborted) return;
      }
    }
    if (batch.records.length + batch.unreadable.length > 0) await this.#start(batch);
  }

  async #start(batch: Batch): Promise<void> {
    const done = this.#deliver(batch);
    // Whether it failed is asked in its turn.
    done.catch(() => 'asked later');
    this.#underWay.push({ batch, done });
    if (this.#underWay.length >= this.#job.inFlight) await this.#settleOldest();
  }

  /** Batches are acknowledged in their order, whichever is answered first. */
  async #settleOldest(): Promise<void> {
    const [oldest] = this.#underWay;
    if (oldest === undefined) return;
    await oldest.done;
    this.#underWay.shift();
    this.#acknowledged = oldest.batch.items;
    this.#job.progress.show(this.#job.report);
    if (performance.now() - this.#stateAt < STATE_INTERVAL_MS) return;
    this.#stateAt = performance.now();
    await this.#saveState();
  }

  async #deliver(batch: Batch): Promise<void> {
    const { report, sender, rejects } = this.#job;
    const records = batch.records.map(({ record }) => record);
    const { accepted, rejections } = sender === null ? dryRun(records) : await sender.send(records);
    report.accepted += accepted;
    for (const { at, fault, text } of batch.unreadable) {
      countRejected(report, fault.reason);
      await rejects?.write({ file: this.#job.input.file, at, ...fault, text });
    }
    for (const { index, ...fault } of rejections) {
      const rejected = batch.records[index];
      if (rejected === undefined) continue;
      countRejected(report, fault.reason);
      await rejects?.write({ file: this.#job.input.file, at: rejected.at, ...fault, record: rejected.record });
    }
  }

  async #saveState(): Promise<void> {
    const { sender, stateFile, input, report } = this.#job;
    if (sender !== null) await writeState(stateFile, input, this.#acknowledged, report);
  }
}

function add(batch: Batch, item: Item, items: number): void {
  batch.items = items;
  if (item.kind === 'record') {
    batch.records.push(item);
    batch.characters += JSON.stringify(item.record).length;
  } else {
    batch.unreadable.push(item);
    batch.characters += item.text.length;
  }
}

function dryRun(records: readonly Fields[]) {
  const limits = { ...DRY_RUN_LIMITS, now: Date.now() };
  const rejections = [...records.entries()].flatMap(([index, record]) => {
    const checked = checkRecord(record, limits);
    return isFault(checked) ? [{ index, ...checked }] : [];
  });
  return { accepted: records.length - rejections.length, rejections };
}

/** Imports one file; its report is filled while it goes. */
export async function importFile(job: ImportJob): Promise<void> {
  await new Import(job).run();
}
