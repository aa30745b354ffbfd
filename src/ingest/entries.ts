/**
 * What an accepted frame becomes on the streams: one telemetry entry with the records that can be kept, and a dead
 * letter for each that cannot. Pure.
 */
import type { Accepted, RejectedRecord, Refused } from '../protocols/protocol.ts';
import type { DeadLetter } from '../shared/contracts/dead-letter-stream.ts';
import { DEAD_LETTER_STREAM, encodeDeadLetter } from '../shared/contracts/dead-letter-stream.ts';
import { encodeRecord } from '../shared/contracts/stored-record.ts';
import { entryFields, partitionOf, telemetryStream } from '../shared/contracts/telemetry-stream.ts';
import { CodecError } from '../shared/errors.ts';
import type { TelemetryRecord } from '../shared/model.ts';
import type { ReasonCode } from '../shared/reasons.ts';
import type { StreamAppend } from './publisher.ts';

/** Where a frame came from and the limits it is held to. */
export interface FrameContext {
  readonly protocol: string;
  readonly deviceId: string | null;
  /** Epoch milliseconds. */
  readonly receivedAt: number;
  readonly frame: Buffer;
  readonly partitions: number;
  readonly maxFutureMs: number;
}

export interface FrameEntries {
  readonly appends: readonly StreamAppend[];
  readonly recordCount: number;
  /** Reasons of the dead letters among the appends, one each. */
  readonly deadLetters: readonly ReasonCode[];
}

type Rejection = Omit<RejectedRecord, 'raw'> & { readonly raw: Buffer | null; readonly payload: string | null };

function clockAhead(record: TelemetryRecord, encoded: string, index: number, context: FrameContext): Rejection {
  const aheadMs = record.ts - context.receivedAt;
  return {
    code: 'clock_ahead',
    field: `records[${index}].ts`,
    message: `${new Date(record.ts).toISOString()} is ${Math.round(aheadMs / 1000)} s ahead of the server's clock`,
    raw: null,
    payload: encoded,
  };
}

/** The record as JSON, or why it cannot be kept. */
function admit(record: TelemetryRecord, index: number, context: FrameContext): string | Rejection {
  try {
    const encoded = encodeRecord(record);
    if (record.ts - context.receivedAt > context.maxFutureMs) return clockAhead(record, encoded, index, context);
    return encoded;
  } catch (error) {
    if (!(error instanceof CodecError)) throw error;
    const { field, message } = error;
    return { code: 'bad_field', field: `records[${index}].${field}`, message, raw: context.frame, payload: null };
  }
}

function deadLetterAppend(rejection: Rejection, context: FrameContext): StreamAppend {
  const letter: DeadLetter = {
    reason: rejection.code,
    message: rejection.message,
    field: rejection.field,
    deviceId: context.deviceId,
    protocol: context.protocol,
    at: context.receivedAt,
    raw: rejection.raw === null ? null : Buffer.from(rejection.raw),
    payload: rejection.payload,
    origin: null,
  };
  return { stream: DEAD_LETTER_STREAM, fields: encodeDeadLetter(letter) };
}

function entryAppend(encoded: readonly string[], context: FrameContext, deviceId: string): StreamAppend {
  const { protocol, receivedAt } = context;
  const stream = telemetryStream(partitionOf(deviceId, context.partitions));
  return { stream, fields: entryFields({ deviceId, protocol, receivedAt }, encoded) };
}

/** Everything that has to be durable before the frame is acknowledged; empty for a frame that carries nothing. */
export function frameEntries(handled: Pick<Accepted, 'records' | 'rejected'>, context: FrameContext): FrameEntries {
  const encoded: string[] = [];
  const rejections: Rejection[] = handled.rejected.map((rejected) => ({ ...rejected, payload: null }));
  for (const [index, record] of handled.records.entries()) {
    const result = admit(record, index, context);
    if (typeof result === 'string') encoded.push(result);
    else rejections.push(result);
  }
  const appends = rejections.map((rejection) => deadLetterAppend(rejection, context));
  if (encoded.length > 0 && context.deviceId !== null) appends.unshift(entryAppend(encoded, context, context.deviceId));
  return { appends, recordCount: encoded.length, deadLetters: rejections.map(({ code }) => code) };
}

/** A refused frame as a dead letter: for one that a tracker sends again and again. */
export function refusedEntries(
  refused: Pick<Refused, 'code' | 'field' | 'message'>,
  context: FrameContext,
): FrameEntries {
  return frameEntries({ records: [], rejected: [{ ...refused, raw: context.frame }] }, context);
}
