/**
 * One letter, decoded again by this version: what is to be appended in its place, or why it stays as it is. Pure.
 *
 * A letter stays unless something came of it: a frame whose fault is the same as before would only be the same letter
 * again, and the records beside the fault are on the stream since it came. What is appended twice all the same (records
 * of a frame of which one more can be read now) changes no row.
 */
import type { StreamAppend } from '../ingest/entries.ts';
import { frameEntries } from '../ingest/entries.ts';
import type { RecordTimeLimits } from '../ingest/record-time.ts';
import { clockFault } from '../ingest/record-time.ts';
import type { DeadLetter } from '../shared/contracts/dead-letter-stream.ts';
import { decodeEntryPayload } from '../shared/contracts/dead-letter-stream.ts';
import { decodeRecord, readRecords } from '../shared/contracts/stored-record.ts';
import { decodeEntry, entryFields, partitionOf, telemetryStream } from '../shared/contracts/telemetry-stream.ts';
import { CodecError } from '../shared/errors.ts';
import type { ReasonCode } from '../shared/reasons.ts';
import { decodeAgain } from './decode-again.ts';

/** Why a letter stays: the reason that is found now, or what no tracker can be at fault for. */
export type LeftReason = ReasonCode | 'no_records' | 'unknown_protocol' | 'unreadable';

export type Replay =
  | { readonly kind: 'replayed'; readonly appends: readonly StreamAppend[]; readonly records: number; readonly letters: number }
  | { readonly kind: 'left'; readonly reason: LeftReason };

export interface ReplayContext extends RecordTimeLimits {
  /** Of the system: STREAM_PARTITIONS. */
  readonly partitions: number;
}

/** Never throws, whatever is in the letter. */
export function replayLetter(letter: DeadLetter, context: ReplayContext): Replay {
  const { raw, payload } = letter;
  try {
    if (raw !== null) return replayFrame(letter, raw, context);
    if (payload?.startsWith('[') === true) return replayRecord(letter, payload, context);
    if (payload !== null) return replayEntry(payload, context);
    return left('unreadable');
  } catch (error) {
    // What a decoder throws is a bug of ours, as it was when the frame came.
    return left(error instanceof CodecError ? 'malformed_entry' : 'internal_error');
  }
}

function left(reason: LeftReason): Replay {
  return { kind: 'left', reason };
}

function replayFrame(letter: DeadLetter, frame: Buffer, limits: ReplayContext): Replay {
  const again = decodeAgain(letter, frame);
  if (again === null) return left('unknown_protocol');
  const { handled, session } = again;
  if (handled.kind === 'refused') return left(handled.code);
  const { deviceId } = handled.session;
  const protocol = letter.protocol ?? '';
  const context = { ...limits, protocol, deviceId, session, receivedAt: letter.at, frame };
  const { appends, recordCount, deadLetters } = frameEntries(handled, context);
  if (recordCount === 0) return left(deadLetters[0]?.reason ?? 'no_records');
  if (deadLetters.some((other) => isSameFault(other, letter))) return left(letter.reason);
  return { kind: 'replayed', appends, records: recordCount, letters: deadLetters.length };
}

function isSameFault(a: DeadLetter, b: DeadLetter): boolean {
  return a.reason === b.reason && a.field === b.field && a.raw !== null;
}

/** `[…]`: one record, which its own text stands for on the stream. */
function replayRecord(letter: DeadLetter, payload: string, context: ReplayContext): Replay {
  const { deviceId, protocol, at: receivedAt } = letter;
  const [result, ...others] = readRecords(Buffer.from(`[${payload}]`));
  if (deviceId === null || protocol === null || result === undefined || others.length > 0) return left('unreadable');
  if (!result.ok) return left('malformed_entry');
  const fault = clockFault(decodeRecord(result.record).ts, context);
  if (fault !== null && fault === letter.reason) return left(fault);
  const fields = entryFields({ deviceId, protocol, receivedAt }, [payload]);
  const stream = telemetryStream(partitionOf(deviceId, context.partitions));
  return { kind: 'replayed', appends: [{ stream, fields }], records: 1, letters: 0 };
}

/** `{…}`: an entry as it was. Records in it that cannot be stored become letters of their own when core reads it. */
function replayEntry(payload: string, { partitions }: ReplayContext): Replay {
  const fields = decodeEntryPayload(payload);
  const entry = decodeEntry(fields);
  const records = entry.records.filter(({ ok }) => ok).length;
  if (records === 0) return left(entry.records.length === 0 ? 'no_records' : 'malformed_entry');
  const stream = telemetryStream(partitionOf(entry.deviceId, partitions));
  return { kind: 'replayed', appends: [{ stream, fields }], records, letters: 0 };
}
