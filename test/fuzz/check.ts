/**
 * Runs one case and says what is wrong with what came of it. Promised for any bytes: no exception; a framer that gives
 * the same however the stream is cut, keeps no more than a frame and goes on no more once it is broken; nothing in the
 * stream that PostgreSQL would refuse, or out of proportion to what came; and at most a millisecond a kilobyte.
 */
import type { FrameEntries } from '../../src/ingest/entries.ts';
import { frameEntries } from '../../src/ingest/entries.ts';
import type { Framer, FramerEvent, Handled, Session } from '../../src/protocols/protocol.ts';
import { decodeRecord } from '../../src/shared/contracts/stored-record.ts';
import { decodeEntry } from '../../src/shared/contracts/telemetry-stream.ts';
import { Random } from '../../src/simulator/random.ts';
import type { FuzzCase } from './case.ts';

export interface Outcome {
  /** Of each frame: a framer's or decoder's verdict, `records` for one that brought some. */
  readonly verdicts: readonly string[];
  /** null: all promises were kept. */
  readonly problem: string | null;
}

const DAY_MS = 86_400_000;
const RECEIVED_AT = Date.UTC(2026, 0, 1);
const DEVICE = '356307042441013';
/** Bytes appended for a byte received: `"io12345_6":{"__buffer_b64":""},` for an element of three bytes. */
const MAX_GROWTH = 24;
/** Of an entry or a dead letter without content. */
const FIXED_BYTES = 1_024;
const REPETITIONS = 7;
/** Of INGEST_MAX_FRAME_BYTES: half of the streams are held to it. */
const SMALLEST_LIMIT = 512;

class Broken extends Error {}

function demand(holds: boolean, what: string): void {
  if (!holds) throw new Broken(what);
}

/** What jsonb has no place for: a NUL, or half of a surrogate pair, as JSON escapes them. */
const REFUSED_BY_JSONB = /(?<!\\)(?:\\\\)*\\u(?:0000|d[89a-f][\da-f]{2})/i;

function sizeOf({ appends }: FrameEntries): number {
  return appends.reduce((sum, { fields }) => sum + fields.reduce((own, field) => own + Buffer.byteLength(field), 0), 0);
}

function expectReadable({ appends }: FrameEntries): void {
  for (const { stream, fields } of appends) {
    if (!stream.startsWith('telemetry:{')) continue;
    const entry = decodeEntry(fields.map((field) => Buffer.from(field)));
    for (const result of entry.records) {
      if (!result.ok) throw new Broken(`a record that cannot be read back: ${result.error.message}`);
      decodeRecord(result.record);
      demand(!REFUSED_BY_JSONB.test(result.record.attributesJson.toString()), 'attributes that jsonb refuses');
    }
  }
}

function verdictOf(handled: Handled): string {
  if (handled.kind === 'refused') return `refused: ${handled.code}`;
  const [rejected] = handled.rejected;
  if (rejected !== undefined) return `rejected: ${rejected.code}`;
  return handled.records.length > 0 ? 'records' : 'nothing to keep';
}

/** What ingest makes of a frame before it appends: `handled` to entries. */
function entriesOf(fuzzCase: FuzzCase, frame: Buffer, handled: Handled): FrameEntries {
  const { deviceId } = handled.session;
  const { name: protocol } = fuzzCase.protocol;
  const context = {
    protocol, deviceId, session: null, receivedAt: RECEIVED_AT, now: RECEIVED_AT, frame, partitions: 4,
    maxPastMs: 36_500 * DAY_MS, maxFutureMs: DAY_MS,
  };
  return frameEntries(handled.kind === 'accepted' ? handled : { records: [], rejected: [{ ...handled, raw: frame }] }, context);
}

/** CPU time of this thread, milliseconds: a busy machine does not make it longer, as it does with time on the wall. */
function cpuMs(): number {
  const { user, system } = process.threadCpuUsage();
  return (user + system) / 1_000;
}

/** The result of `work`, done again, to see whether it was the compiler or the memory, as long as it takes too long. */
function inTime<T>(bytes: number, work: () => T): T {
  const allowedMs = Math.max(1, bytes / 1_024);
  const begun = performance.now();
  const result = work();
  if (performance.now() - begun <= allowedMs) return result;
  let fastest = Infinity;
  for (let time = 0; time < REPETITIONS && fastest > allowedMs; time += 1) {
    const begunAt = cpuMs();
    work();
    fastest = Math.min(fastest, cpuMs() - begunAt);
  }
  demand(fastest <= allowedMs, `${fastest.toFixed(1)} ms for ${bytes} bytes`);
  return result;
}

function checkHandling(fuzzCase: FuzzCase, frame: Buffer, handle: () => Handled): Handled {
  const { handled, entries } = inTime(frame.length, () => {
    const result = handle();
    return { handled: result, entries: entriesOf(fuzzCase, frame, result) };
  });
  const size = sizeOf(entries);
  // A dead letter for each reason may have the whole frame.
  demand(size <= MAX_GROWTH * frame.length + FIXED_BYTES * (1 + entries.appends.length), `${size} bytes appended for ${frame.length}`);
  expectReadable(entries);
  return handled;
}

function pushAll(framer: Framer, chunks: readonly Buffer[], maxFrameBytes: number): FramerEvent[] {
  const events: FramerEvent[] = [];
  for (const chunk of chunks) {
    events.push(...framer.push(chunk));
    demand(framer.bufferedBytes <= maxFrameBytes, `${framer.bufferedBytes} bytes buffered`);
  }
  const broken = events.findIndex(({ kind }) => kind === 'broken');
  demand(broken === -1 || broken === events.length - 1, 'events behind the one that says broken');
  for (const event of events) if (event.kind === 'frame') demand(event.bytes.length <= maxFrameBytes, 'a frame that is too long');
  return events;
}

function cut(bytes: Buffer, seed: number): Buffer[] {
  const random = new Random(seed);
  const longest = random.pick([1, 3, 16, 200, 5_000]);
  const chunks: Buffer[] = [];
  for (let at = 0; at < bytes.length;) {
    const end = at + random.integer(1, longest);
    // Copies: what a framer keeps must not depend on a chunk that the socket uses again.
    chunks.push(Buffer.from(bytes.subarray(at, end)));
    at = end;
  }
  return chunks;
}

function expectSame(whole: readonly FramerEvent[], pieces: readonly FramerEvent[]): void {
  const isSame = whole.length === pieces.length && whole.every((event, index) => {
    const other = pieces[index]!;
    return event.kind === other.kind && event.bytes.equals(other.bytes);
  });
  demand(isSame, 'other events when the stream is cut elsewhere');
}

function runStream(fuzzCase: FuzzCase): string[] {
  const { protocol, bytes, cutSeed } = fuzzCase;
  const maxFrameBytes = cutSeed % 2 === 0 ? protocol.maxFrameBytes : SMALLEST_LIMIT;
  const whole = inTime(bytes.length, () => pushAll(protocol.createFramer(maxFrameBytes), [bytes], maxFrameBytes));
  expectSame(whole, pushAll(protocol.createFramer(maxFrameBytes), cut(bytes, cutSeed), maxFrameBytes));
  const verdicts: string[] = [];
  let session: Session = protocol.open();
  for (const event of whole) {
    if (event.kind !== 'frame') {
      verdicts.push(`${event.kind}: ${event.code}`);
      continue;
    }
    const before = session;
    const handled = checkHandling(fuzzCase, event.bytes, () => protocol.handle(before, event.bytes, RECEIVED_AT));
    verdicts.push(verdictOf(handled));
    session = handled.session;
    if (handled.kind === 'refused' && handled.close) break;
  }
  return verdicts;
}

function runCase(fuzzCase: FuzzCase): string[] {
  const { protocol, way, bytes } = fuzzCase;
  if (way === 'stream') return runStream(fuzzCase);
  if (way === 'frame') {
    const session = { ...protocol.open(), deviceId: DEVICE };
    return [verdictOf(checkHandling(fuzzCase, bytes, () => protocol.handle(session, bytes, RECEIVED_AT)))];
  }
  const handle = (): Handled => {
    const result = protocol.handleDatagram?.(bytes, RECEIVED_AT);
    if (result === undefined) throw new Broken('the protocol takes no datagrams');
    return result.handled;
  };
  return [verdictOf(checkHandling(fuzzCase, bytes, handle))];
}

export function check(fuzzCase: FuzzCase): Outcome {
  try {
    return { verdicts: runCase(fuzzCase), problem: null };
  } catch (error) {
    const problem = error instanceof Broken ? error.message : `threw ${error instanceof Error ? error.stack : String(error)}`;
    return { verdicts: [], problem };
  }
}
