/**
 * The dead-letter stream: what could not be decoded or stored, with all that is needed to try again. A dead letter is
 * as durable as a record, so what became one may be acknowledged.
 *
 * Fields: `version` 1, `reason` (a code of `reasons.ts`), `message`, `field`, `device`, `protocol`, `at` (epoch ms),
 * `raw` or `payload`, `session`, `origin` (stream and entry id that it came from). One that does not apply is absent.
 *
 * `raw` is the whole frame or datagram as it was received. `session` is the JSON of what its connection knew before it,
 * without which a frame cannot be decoded again; a datagram says itself whose it is, and has none.
 * `payload` is `[…]`, one record as `stored-record.ts` writes it, or `{…}`, all fields of a stream entry by name, with
 * bytes that are no UTF-8 as `{"__buffer_b64":"AQID"}`.
 */
import { isUtf8 } from 'node:buffer';
import { z } from 'zod';
import type { ReasonCode } from '../reasons.ts';
import { REASON_CODES } from '../reasons.ts';
import { CodecError } from '../errors.ts';
import { fieldMap } from './telemetry-stream.ts';

export const DEAD_LETTER_STREAM = 'telemetry:dlq';

const VERSION = '1';

export interface DeadLetter {
  readonly reason: ReasonCode;
  readonly message: string;
  /** The field at fault; empty where none is. */
  readonly field: string;
  readonly deviceId: string | null;
  readonly protocol: string | null;
  /** When the frame was received, or where that is not known, when the entry failed; epoch milliseconds. */
  readonly at: number;
  /** The frame or datagram, whole. */
  readonly raw: Buffer | null;
  /** JSON of the protocol's session before the frame; null for a datagram, and without `raw`. */
  readonly session: string | null;
  readonly payload: string | null;
  /** `<stream>/<entry id>` for what came off the stream. */
  readonly origin: string | null;
}

/** Field names and values for XADD. */
export function encodeDeadLetter(letter: DeadLetter): (string | Buffer)[] {
  const fields: readonly (readonly [string, string | Buffer | null])[] = [
    ['version', VERSION],
    ['reason', letter.reason],
    ['message', letter.message],
    ['field', letter.field],
    ['device', letter.deviceId],
    ['protocol', letter.protocol],
    ['at', String(letter.at)],
    ['raw', letter.raw],
    ['session', letter.session],
    ['payload', letter.payload],
    ['origin', letter.origin],
  ];
  return fields.flatMap(([name, value]) => (value === null ? [] : [name, value]));
}

function reasonOf(text: string): ReasonCode {
  const reason = REASON_CODES.find((code) => code === text);
  if (reason === undefined) throw new CodecError('reason', 'a known reason code', text);
  return reason;
}

/** @throws CodecError that names the field. */
export function decodeDeadLetter(pairs: readonly Buffer[]): DeadLetter {
  const fields = fieldMap(pairs);
  const text = (name: string): string | null => fields.get(name)?.toString() ?? null;
  if (text('version') !== VERSION) throw new CodecError('version', VERSION, text('version'));
  const at = Number(text('at') ?? Number.NaN);
  if (!Number.isSafeInteger(at)) throw new CodecError('at', 'epoch milliseconds', text('at'));
  return {
    reason: reasonOf(text('reason') ?? ''),
    message: text('message') ?? '',
    field: text('field') ?? '',
    deviceId: text('device'),
    protocol: text('protocol'),
    at,
    raw: fields.get('raw') ?? null,
    session: text('session'),
    payload: text('payload'),
    origin: text('origin'),
  };
}

/** Bytes that are no UTF-8 stand in the payload as a sentinel. */
const sentinel = z.strictObject({ __buffer_b64: z.base64() });
const entryPayload = z.record(z.string(), z.union([z.string(), sentinel]));

/** All fields of a stream entry as the `{…}` of a payload. */
export function encodeEntryPayload(pairs: readonly Buffer[]): string {
  const text = (value: Buffer): unknown =>
    isUtf8(value) ? value.toString() : { __buffer_b64: value.toString('base64') };
  return JSON.stringify(Object.fromEntries([...fieldMap(pairs)].map(([name, value]) => [name, text(value)])));
}

/** The field names and values that `encodeEntryPayload` was given. @throws CodecError for another payload. */
export function decodeEntryPayload(payload: string): Buffer[] {
  const fields = entryPayload.safeParse(parseJson(payload));
  if (!fields.success) throw new CodecError('payload', 'the fields of a stream entry', payload);
  return Object.entries(fields.data).flatMap(([name, value]) => [
    Buffer.from(name), typeof value === 'string' ? Buffer.from(value) : Buffer.from(value.__buffer_b64, 'base64'),
  ]);
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    throw new CodecError('payload', 'JSON', text);
  }
}
