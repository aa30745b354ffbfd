/**
 * The telemetry stream: names, consumer groups, and the fields of an entry. One entry is one frame, the unit that a
 * tracker resends. A device's records are always in one partition, in order.
 *
 * Fields: `version` 1, `device`, `protocol`, `receivedAt` (epoch ms), `count`, `records` (see `stored-record.ts`).
 */
import type { TelemetryFrame } from '../model.ts';
import { CodecError } from '../errors.ts';
import type { RecordResult } from './stored-record.ts';
import { encodeRecord, readRecords } from './stored-record.ts';

const VERSION = '1';

/** Reads everything, acknowledges after COMMIT. */
export const PROCESSOR_GROUP = 'processor';

/** Groups behind whose acknowledgements the stream may be trimmed. Live groups are not among them. */
export const DURABLE_GROUPS: readonly string[] = [PROCESSOR_GROUP];

/** The braces are a Redis Cluster hash tag: partitions spread over a cluster. */
export function telemetryStream(partition: number): string {
  return `telemetry:{${partition}}`;
}

export function telemetryStreams(partitions: number): string[] {
  return Array.from({ length: partitions }, (_, partition) => telemetryStream(partition));
}

const FNV_OFFSET = 0x811c9dc5;
const FNV_PRIME = 0x01000193;

/** FNV-1a (32 bit) of the identifier's UTF-16 units, modulo the number of partitions. */
export function partitionOf(deviceId: string, partitions: number): number {
  let hash = FNV_OFFSET;
  for (let index = 0; index < deviceId.length; index += 1) {
    hash = Math.imul(hash ^ deviceId.charCodeAt(index), FNV_PRIME);
  }
  return (hash >>> 0) % partitions;
}

/** What an entry says, with the attributes of its records still JSON. */
export interface TelemetryEntry {
  readonly deviceId: string;
  readonly protocol: string;
  readonly receivedAt: number;
  readonly records: readonly RecordResult[];
}

type FrameHead = Omit<TelemetryFrame, 'records'>;

/** Field names and values for XADD, with records that `encodeRecord` has made. */
export function entryFields(frame: FrameHead, encodedRecords: readonly string[]): string[] {
  return entryFieldsWith(frame, encodedRecords.length, `[${encodedRecords.join(',')}]`);
}

/** The same with so many records in one JSON array. */
export function entryFieldsWith(frame: FrameHead, count: number, records: string): string[] {
  return [
    'version', VERSION,
    'device', frame.deviceId,
    'protocol', frame.protocol,
    'receivedAt', String(frame.receivedAt),
    'count', String(count),
    'records', records,
  ];
}

/** Field names and values for XADD. @throws CodecError that names the field of a record that cannot be stored. */
export function encodeEntry(frame: TelemetryFrame): string[] {
  return entryFields(frame, frame.records.map(encodeRecord));
}

const MAX_DEVICE_ID_LENGTH = 128;

/** The fields of an entry in the order in which they are written. */
const FIELDS = ['version', 'device', 'protocol', 'receivedAt', 'count', 'records'] as const;
const FIELD_BYTES = FIELDS.map((name) => Buffer.from(name));

type FieldName = (typeof FIELDS)[number];
type Fields = Readonly<Partial<Record<FieldName, Buffer>>>;

function required(fields: Fields, name: FieldName): Buffer {
  const value = fields[name];
  if (value === undefined) throw new CodecError(name, 'a field of the entry', undefined);
  return value;
}

const ZERO = 0x30;
const MAX_DIGITS = 15;

function requiredInteger(fields: Fields, name: FieldName): number {
  const digits = required(fields, name);
  let value = 0;
  let isInteger = digits.length > 0 && digits.length <= MAX_DIGITS;
  for (const byte of digits) {
    const digit = byte - ZERO;
    if (digit < 0 || digit > 9) isInteger = false;
    value = value * 10 + digit;
  }
  if (!isInteger) throw new CodecError(name, 'a whole number', digits.toString());
  return value;
}

function requiredText(fields: Fields, name: FieldName, maxLength: number): string {
  const text = required(fields, name).toString();
  if (text === '' || text.length > maxLength || text.includes('\0')) {
    throw new CodecError(name, `a text of 1 to ${maxLength} characters`, text);
  }
  return text;
}

/** Field names and values as Redis returns them, in pairs. */
export function fieldMap(pairs: readonly Buffer[]): Map<string, Buffer> {
  const fields = new Map<string, Buffer>();
  for (let index = 0; index + 1 < pairs.length; index += 2) {
    const [name, value] = [pairs[index], pairs[index + 1]];
    if (name !== undefined && value !== undefined) fields.set(name.toString(), value);
  }
  return fields;
}

/** A native comparison costs more than a loop over so few bytes. */
function isSame(a: Buffer | undefined, b: Buffer | undefined): boolean {
  if (a?.length !== b?.length) return false;
  for (let index = 0; index < (a?.length ?? 0); index += 1) if (a?.[index] !== b?.[index]) return false;
  return true;
}

/** The fields by name, which nearly always are those of `entryFields` in their order. */
function fieldsOf(pairs: readonly Buffer[]): Fields {
  const isInOrder = FIELD_BYTES.every((name, index) => isSame(pairs[2 * index], name));
  if (pairs.length !== 2 * FIELDS.length || !isInOrder) return Object.fromEntries(fieldMap(pairs));
  const [, version, , device, , protocol, , receivedAt, , count, , records] = pairs;
  return { version, device, protocol, receivedAt, count, records } as Fields;
}

/**
 * The entry that XADD was given. A record with a field out of range is an element with `ok: false`.
 * @throws CodecError that names the field, where the entry as a whole is not what the contract says.
 */
export function decodeEntry(pairs: readonly Buffer[]): TelemetryEntry {
  const fields = fieldsOf(pairs);
  const version = required(fields, 'version').toString();
  if (version !== VERSION) throw new CodecError('version', VERSION, version);
  const records = readRecords(required(fields, 'records'));
  const count = requiredInteger(fields, 'count');
  if (count !== records.length) throw new CodecError('count', `the number of records, ${records.length}`, count);
  return {
    deviceId: requiredText(fields, 'device', MAX_DEVICE_ID_LENGTH),
    protocol: requiredText(fields, 'protocol', 32),
    receivedAt: requiredInteger(fields, 'receivedAt'),
    records,
  };
}
