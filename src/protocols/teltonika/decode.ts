/**
 * The data of a frame or datagram, codec ID to number of data 2, as records. Whatever the bytes are, the answer is a
 * value: what cannot be decoded is in `rejected`, its neighbours are in `records`. The checksum is the caller's.
 *
 * Source: Teltonika wiki, "Teltonika Data Sending Protocols".
 */
import { ByteReader } from '../../shared/byte-reader.ts';
import { TruncatedError } from '../../shared/errors.ts';
import type { TelemetryRecord } from '../../shared/model.ts';
import type { ReasonCode } from '../../shared/reasons.ts';
import type { RejectedRecord } from '../protocol.ts';
import { CODEC_16, CODEC_8, CODEC_8_EXTENDED, CODEC_8_WITH_SIXTEEN_BYTE_GROUP } from './avl-layout.ts';
import { readAvlRecord } from './codec-avl.ts';
import type { AvlReading } from './codec-avl.ts';
import { MESSAGE_LAYOUTS, readMessage } from './codec-messages.ts';
import type { MessageLayout } from './codec-messages.ts';
import { readCodec7Record } from './codec7.ts';

export interface DecodedData {
  readonly records: readonly TelemetryRecord[];
  /** `raw` is always the whole frame or datagram: sent again to a decoder, it gives the same. */
  readonly rejected: readonly RejectedRecord[];
  /** Number of data 1: what an acknowledgement repeats. */
  readonly count: number;
  /** Number of data 2 is the same. If not, nothing was read. */
  readonly countsMatch: boolean;
  /** AVL data wants an acknowledgement, a message takes none. */
  readonly isAcknowledged: boolean;
}

type ReadRecord = (reader: ByteReader) => AvlReading;

/** How to read one record, by codec ID; where there are several, the first that consumes the data exactly is right. */
const AVL_CODECS = new Map<number, readonly ReadRecord[]>([
  [0x07, [readCodec7Record]],
  [0x08, [
    (reader) => readAvlRecord(reader, CODEC_8),
    (reader) => readAvlRecord(reader, CODEC_8_WITH_SIXTEEN_BYTE_GROUP),
  ]],
  [0x10, [(reader) => readAvlRecord(reader, CODEC_16)]],
  [0x8e, [(reader) => readAvlRecord(reader, CODEC_8_EXTENDED)]],
]);

const MESSAGE_CODECS = new Map<number, MessageLayout>(MESSAGE_LAYOUTS.map((layout) => [layout.codec, layout]));

// Codec ID (1) | number of data 1 (1) | AVL data or message | number of data 2 (1)
/** Decodes `frame` from `start` (the codec ID) to `end` (behind number of data 2): at least 3 bytes. */
export function decodeData(frame: Buffer, start: number, end: number, receivedAt: number): DecodedData {
  const codecId = frame.readUInt8(start);
  const count = frame.readUInt8(start + 1);
  const countsMatch = frame.readUInt8(end - 1) === count;
  const readers = AVL_CODECS.get(codecId);
  const messageLayout = MESSAGE_CODECS.get(codecId);
  if (readers === undefined && messageLayout === undefined) {
    const rejected = [rejection('unknown_codec', 'codecId', `codec 0x${codecId.toString(16)} is not known`, frame)];
    return { records: [], rejected, count, countsMatch: true, isAcknowledged: true };
  }
  const isAcknowledged = readers !== undefined;
  if (!countsMatch) return { records: [], rejected: [], count, countsMatch, isAcknowledged };
  const body = { frame, start: start + 2, end: end - 1 };
  const outcome = readers === undefined
    ? decodeMessage(body, messageLayout, receivedAt)
    : decodeRecords(body, count, readers);
  const { records, rejected } = outcome;
  return { records, rejected, count, countsMatch, isAcknowledged };
}

/** The bytes between number of data 1 and number of data 2. */
interface Body {
  readonly frame: Buffer;
  readonly start: number;
  readonly end: number;
}

type Outcome = Pick<DecodedData, 'records' | 'rejected'>;

interface Fault {
  readonly code: ReasonCode;
  readonly message: string;
}

interface Reading {
  readonly readings: readonly AvlReading[];
  readonly fault: Fault | null;
}

function decodeRecords(body: Body, count: number, readers: readonly ReadRecord[]): Outcome {
  let first: Reading | undefined;
  for (const read of readers) {
    const reading = readRecords(body, count, read);
    if (reading.fault === null) return judgeAll(reading.readings, body.frame);
    first ??= reading;
  }
  return first === undefined ? { records: [], rejected: [] } : salvage(first, body.frame);
}

function readRecords(body: Body, count: number, read: ReadRecord): Reading {
  const reader = new ByteReader(body.frame, body.start, body.end);
  const readings: AvlReading[] = [];
  try {
    while (readings.length < count) readings.push(read(reader));
  } catch (error) {
    if (!(error instanceof TruncatedError)) throw error;
    return { readings, fault: { code: 'truncated', message: error.message } };
  }
  if (reader.remaining === 0) return { readings, fault: null };
  return { readings, fault: { code: 'trailing_bytes', message: `${reader.remaining} bytes behind the last record` } };
}

/** The records before the first that does not add up: those behind it may have been read out of step. */
function salvage({ readings, fault }: Reading, frame: Buffer): Outcome {
  const firstBad = readings.findIndex((reading) => !reading.ioCountMatches || faultOf(reading.record) !== null);
  const sound = firstBad < 0 ? readings : readings.slice(0, firstBad);
  const rejected = fault === null ? [] : [rejection(fault.code, `records[${sound.length}]`, fault.message, frame)];
  return { records: sound.map(({ record }) => record), rejected };
}

function judgeAll(readings: readonly AvlReading[], frame: Buffer): Outcome {
  const records: TelemetryRecord[] = [];
  const rejected: RejectedRecord[] = [];
  let raw: Buffer | undefined;
  let index = 0;
  for (const { record } of readings) {
    const fault = faultOf(record);
    if (fault === null) records.push(record);
    else {
      raw ??= Buffer.from(frame);
      rejected.push({ code: 'bad_field', field: `records[${index}].${fault.field}`, message: fault.message, raw });
    }
    index += 1;
  }
  return { records, rejected };
}

/** The latest time that a Date can hold. */
const MAX_TS = 8.64e15;

interface FieldFault {
  readonly field: string;
  readonly message: string;
}

/** Written so that NaN, which codec 7 can carry, is a fault too. */
function faultOf({ ts, latitude, longitude }: TelemetryRecord): FieldFault | null {
  if (!(ts <= MAX_TS)) return { field: 'ts', message: `${ts} ms is no time` };
  if (latitude !== null && !(Math.abs(latitude) <= 90)) {
    return { field: 'latitude', message: `${latitude} is no latitude` };
  }
  if (longitude !== null && !(Math.abs(longitude) <= 180)) {
    return { field: 'longitude', message: `${longitude} is no longitude` };
  }
  return null;
}

function decodeMessage(body: Body, layout: MessageLayout | undefined, receivedAt: number): Outcome {
  if (layout === undefined) return { records: [], rejected: [] };
  try {
    const reading = readMessage(body.frame.subarray(body.start, body.end), layout, receivedAt);
    if ('record' in reading) return { records: [reading.record], rejected: [] };
    return { records: [], rejected: [rejection(reading.fault, 'message', reading.message, body.frame)] };
  } catch (error) {
    if (!(error instanceof TruncatedError)) throw error;
    return { records: [], rejected: [rejection('truncated', 'message', error.message, body.frame)] };
  }
}

/** A copy of the frame: it may be a view of what the socket read. */
function rejection(code: ReasonCode, field: string, message: string, frame: Buffer): RejectedRecord {
  return { code, field, message, raw: Buffer.from(frame) };
}
