/**
 * What an accepted frame becomes on the streams: one telemetry entry with the records that can be kept, and dead
 * letters for those that cannot. A frame's bytes are kept once for each reason, however many of its records are at
 * fault: what is appended stays in proportion to what was received. Pure.
 */
import type { Accepted, RejectedRecord, Refused, Session } from '../protocols/protocol.ts';
import type { DeadLetter } from '../shared/contracts/dead-letter-stream.ts';
import { DEAD_LETTER_STREAM, encodeDeadLetter } from '../shared/contracts/dead-letter-stream.ts';
import { RecordArray, encodeRecord } from '../shared/contracts/stored-record.ts';
import { entryFieldsWith, partitionOf, telemetryStream } from '../shared/contracts/telemetry-stream.ts';
import { CodecError } from '../shared/errors.ts';
import type { TelemetryRecord } from '../shared/model.ts';
import type { ReasonCode } from '../shared/reasons.ts';
import type { ClockFault, RecordTimeLimits } from './record-time.ts';
import { clockFault } from './record-time.ts';

/** One XADD: a stream and its field names and values. */
export interface StreamAppend {
  readonly stream: string;
  readonly fields: readonly (string | Buffer)[];
}

/** Where a frame came from and the limits it is held to. */
export interface FrameContext extends RecordTimeLimits {
  readonly protocol: string;
  readonly deviceId: string | null;
  /** What its connection knew before it; null for a datagram. */
  readonly session: Session | null;
  /** Epoch milliseconds. */
  readonly receivedAt: number;
  readonly frame: Buffer;
  readonly partitions: number;
}

export interface FrameEntries {
  readonly appends: readonly StreamAppend[];
  /** Records among the appends. */
  readonly recordCount: number;
  /** Reasons of the records that cannot be kept, one each. */
  readonly rejected: readonly ReasonCode[];
  /** The dead letters among the appends. */
  readonly deadLetters: readonly DeadLetter[];
}

type Rejection = Omit<RejectedRecord, 'raw'> & { readonly raw: Buffer | null; readonly payload: string | null };

function wrongTime(
  code: ClockFault, { ts }: TelemetryRecord, encoded: string, index: number, now: number,
): Rejection {
  const seconds = Math.round(Math.abs(ts - now) / 1000);
  const side = code === 'clock_ahead' ? 'ahead of' : 'behind';
  const message = `${new Date(ts).toISOString()} is ${seconds} s ${side} the server's clock`;
  return { code, field: `records[${index}].ts`, message, raw: null, payload: encoded };
}

/** Of the frame at hand. */
const records = new RecordArray();

/** Adds the record to those that are kept. @returns why it cannot be kept; null: it is */
function admit(record: TelemetryRecord, index: number, context: FrameContext): Rejection | null {
  try {
    const fault = clockFault(record.ts, context);
    if (fault !== null) return wrongTime(fault, record, encodeRecord(record), index, context.now);
    records.add(record);
    return null;
  } catch (error) {
    if (!(error instanceof CodecError)) throw error;
    const { field, message } = error;
    return { code: 'bad_field', field: `records[${index}].${field}`, message, raw: context.frame, payload: null };
  }
}

function isSame(a: Buffer | null, b: Buffer | null): boolean {
  return a !== null && b !== null && a.equals(b);
}

/** Rejections for one reason that carry the same bytes as one, which names every field. */
function merge(rejections: readonly Rejection[]): readonly Rejection[] {
  const merged: Rejection[] = [];
  for (const rejection of rejections) {
    const { code, field, message } = rejection;
    const index = merged.findIndex((other) => other.code === code && isSame(other.raw, rejection.raw));
    const twin = merged[index];
    if (twin === undefined) merged.push(rejection);
    else merged[index] = { ...twin, field: `${twin.field}, ${field}`, message: `${twin.message}; ${message}` };
  }
  return merged;
}

function letterOf(rejection: Rejection, context: FrameContext): DeadLetter {
  const { raw } = rejection;
  return {
    reason: rejection.code,
    message: rejection.message,
    field: rejection.field,
    deviceId: context.deviceId,
    protocol: context.protocol,
    at: context.receivedAt,
    raw: raw === null ? null : Buffer.from(raw),
    session: raw === null || context.session === null ? null : JSON.stringify(context.session),
    payload: rejection.payload,
    origin: null,
  };
}

function letterAppend(letter: DeadLetter): StreamAppend {
  return { stream: DEAD_LETTER_STREAM, fields: encodeDeadLetter(letter) };
}

function entryAppend(context: FrameContext): StreamAppend {
  const { protocol, deviceId, receivedAt } = context;
  if (deviceId === null) throw new Error(`${protocol} accepted records before it knew the device`);
  const stream = telemetryStream(partitionOf(deviceId, context.partitions));
  return { stream, fields: entryFieldsWith({ deviceId, protocol, receivedAt }, records.count, records.finish()) };
}

/**
 * Everything that has to be durable before the frame is acknowledged; empty for a frame that carries nothing.
 * @throws Error for records of nobody, which no protocol accepts.
 */
export function frameEntries(handled: Pick<Accepted, 'records' | 'rejected'>, context: FrameContext): FrameEntries {
  records.clear();
  const rejections: Rejection[] = handled.rejected.map((rejected) => ({ ...rejected, payload: null }));
  for (const [index, record] of handled.records.entries()) {
    const rejection = admit(record, index, context);
    if (rejection !== null) rejections.push(rejection);
  }
  const deadLetters = merge(rejections).map((rejection) => letterOf(rejection, context));
  const appends = deadLetters.map(letterAppend);
  const { count: recordCount } = records;
  if (recordCount > 0) appends.unshift(entryAppend(context));
  return { appends, recordCount, rejected: rejections.map(({ code }) => code), deadLetters };
}

/** A refused frame as a dead letter: for one that a tracker sends again and again. */
export function refusedEntries(
  refused: Pick<Refused, 'code' | 'field' | 'message'>,
  context: FrameContext,
): FrameEntries {
  return frameEntries({ records: [], rejected: [{ ...refused, raw: context.frame }] }, context);
}
