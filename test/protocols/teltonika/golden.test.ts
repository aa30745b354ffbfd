/**
 * Frames decoded in full by an independent decoder: every record, every I/O element and every answer. The file lies
 * beside the repository; where it does not, this suite is skipped and says so.
 */
import { existsSync, readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { describe, expect, it } from 'vitest';
import type { AttributeValue, TelemetryRecord } from '../../../src/shared/model.ts';
import { textOrBytes } from '../../../src/shared/text.ts';
import type { Accepted } from '../../../src/protocols/protocol.ts';
import { GH3000_ELEMENTS } from '../../../src/protocols/teltonika/codec7.ts';
import { teltonika } from '../../../src/protocols/teltonika/index.ts';
import { IO_ELEMENTS } from '../../../src/protocols/teltonika/io-elements.ts';
import type { IoElement } from '../../../src/protocols/teltonika/io-elements/element.ts';
import { RECEIVED_AT, accepted, frameOf, handle, push, refused } from './frames.ts';

type GoldenIo = readonly [id: number, width: number, hex: string, unsigned: number | null];

interface GoldenRecord {
  readonly timestampMs: number;
  readonly priority: number;
  readonly longitude: number;
  readonly latitude: number;
  readonly altitude: number;
  readonly angle: number;
  readonly satellites: number;
  readonly speed: number;
  readonly eventIoId?: number;
  readonly generationType?: number;
  readonly lac?: number;
  readonly io: readonly GoldenIo[];
}

interface GoldenCase {
  readonly id: number;
  readonly name?: string;
  readonly transport: 'tcp' | 'udp';
  readonly hex: string;
  readonly decoded: {
    readonly kind: 'avl' | 'message' | 'login' | 'keepalive' | 'incomplete';
    readonly ack?: string | null;
    readonly ackIfChecksIgnored?: string;
    readonly ackAccept?: string;
    readonly ackReject?: string;
    readonly imei?: string;
    readonly have?: number;
    readonly dataLength?: number;
    readonly codecId?: number;
    readonly crcValid?: boolean;
    readonly countMatch?: boolean;
    readonly records?: readonly GoldenRecord[];
    readonly message?: {
      readonly type: number; readonly typeName: string; readonly timestampMs?: number; readonly imei?: string;
      readonly payload: string; readonly text?: string;
    };
  };
}

const PATH = resolve('../shared/corpus/teltonika-golden.json');
const isThere = existsSync(PATH);
if (!isThere) console.log(`skipped: ${PATH} is not there`);
const cases = isThere ? JSON.parse(readFileSync(PATH, 'utf8')) as readonly GoldenCase[] : [];

/** The data field with what makes it decodable repaired: length, CRC and number of data 2. */
function repaired({ hex, decoded }: GoldenCase): Buffer {
  const bytes = Buffer.from(hex, 'hex');
  const { dataLength = 0 } = decoded;
  const isWhole = dataLength > 0 && bytes.length >= 8 + dataLength;
  const data = Buffer.from(isWhole ? bytes.subarray(8, 8 + dataLength) : bytes.subarray(8, -4));
  data[data.length - 1] = data[1]!;
  return frameOf(data);
}

function elementOf(table: readonly IoElement[], [id, width]: GoldenIo): IoElement | undefined {
  const fits = ({ bytes }: IoElement): boolean => bytes === width || (bytes === 'variable' && ![1, 2, 4, 8].includes(width));
  return table.find((element) => element.id === id && fits(element));
}

/** What an element must have become, by the table and independently of the reader; undefined for lists. */
function expectedAttribute(table: readonly IoElement[], io: GoldenIo): [string, AttributeValue] | undefined {
  const [id, width, hex] = io;
  const bytes = Buffer.from(hex, 'hex');
  const element = elementOf(table, io);
  const raw = ![1, 2, 4, 8].includes(width) ? bytes : BigInt(`0x${hex}`);
  const plain = typeof raw === 'bigint' && raw <= Number.MAX_SAFE_INTEGER ? Number(raw) : raw;
  switch (element?.kind) {
    case undefined: return [`io${id}`, plain];
    case 'boolean': return [element.name, raw !== 0n];
    case 'text': return [element.name, textOrBytes(bytes)];
    case 'hex': return [element.name, hex.toUpperCase()];
    case 'decimal': return [element.name, String(raw)];
    case 'bytes': return [element.name, bytes];
    case 'ibutton': return raw === 0n ? [`io${id}`, 0] : [element.name, Buffer.from(bytes).reverse().toString('hex').toUpperCase()];
    case 'number': {
      const integer = Number(element.signed ? BigInt.asIntN(8 * width, raw as bigint) : raw);
      const [min, max] = element.range ?? [-Infinity, Infinity];
      if (integer < min || integer > max || element.errorCodes?.includes(integer)) return [`io${id}`, plain];
      return [element.name, Number((integer * element.scale).toPrecision(12))];
    }
    default: return undefined;
  }
}

function expectRecord(record: TelemetryRecord, golden: GoldenRecord, table: readonly IoElement[]): void {
  const located = golden.latitude !== 0 || golden.longitude !== 0;
  const position = [golden.latitude, golden.longitude, golden.altitude, golden.angle, golden.speed];
  expect([record.latitude, record.longitude, record.altitude, record.course, record.speed])
    .toEqual(located ? position : [null, null, null, null, null]);
  expect(record).toMatchObject({
    ts: golden.timestampMs, priority: golden.priority, satellites: golden.satellites, eventId: golden.eventIoId ?? 0,
  });
  const names = new Set<string>();
  for (const io of golden.io) {
    const expected = expectedAttribute(table, io);
    if (expected === undefined) {
      expect(record.attributes.has(`io${io[0]}`)).toBe(false);
      continue;
    }
    names.add(expected[0]);
    expect([io[0], record.attributes.get(expected[0])]).toEqual([io[0], expected[1]]);
  }
  expectNothingElse(record, golden, names);
}

/** Beside the elements only what the record itself has to say, and the contents of lists. */
function expectNothingElse(record: TelemetryRecord, golden: GoldenRecord, names: ReadonlySet<string>): void {
  expect(record.attributes.get('generationType')).toBe(golden.generationType);
  const others = [...record.attributes.keys()].filter((name) => !names.has(name) && !/^(tag|beacon)/.test(name));
  const cell = golden.lac === undefined ? [] : ['lac', 'cid', 'rssi', 'operator'];
  for (const name of others) expect(['generationType', 'alarm', ...cell]).toContain(name);
}

function expectRecords(data: Accepted, { decoded }: GoldenCase): void {
  expect(data.rejected).toEqual([]);
  expect(data.records).toHaveLength(decoded.records?.length ?? 0);
  const table = decoded.codecId === 7 ? GH3000_ELEMENTS : IO_ELEMENTS;
  for (const [index, golden] of (decoded.records ?? []).entries()) expectRecord(data.records[index]!, golden, table);
}

function expectMessage(data: Accepted, { decoded }: GoldenCase): void {
  const message = decoded.message!;
  expect(data.records).toHaveLength(1);
  const { ts, attributes } = data.records[0]!;
  expect(ts).toBe(message.timestampMs ?? RECEIVED_AT);
  expect(attributes.get('messageCodec')).toBe(decoded.codecId);
  expect(attributes.get('messageType')).toBe(message.type);
  expect(attributes.get('messageImei')).toBe(message.imei);
  const payload = Buffer.from(message.payload, 'hex');
  const content = message.type === 13 ? payload : message.type === 17 ? 'nack' : message.text ?? textOrBytes(payload);
  expect(attributes.get(message.type === 5 ? 'command' : 'result')).toEqual(content);
}

/** What is not acknowledged: no frame comes of it, or the frame is refused. */
function expectNoAnswer({ hex, decoded }: GoldenCase): void {
  const [event] = push([Buffer.from(hex, 'hex')]);
  if (event?.kind !== 'frame') return;
  const result = refused(handle(event.bytes));
  expect(result.code).toBe(decoded.crcValid === true ? 'count_mismatch' : 'checksum_mismatch');
  const expected = decoded.crcValid === true ? decoded.ackIfChecksIgnored : undefined;
  expect(result.replyWhenDeadLettered?.toString('hex')).toBe(expected);
}

function expectTcp(golden: GoldenCase): void {
  const { decoded, hex } = golden;
  const isSound = decoded.crcValid === true && decoded.countMatch === true;
  if (!isSound) expectNoAnswer(golden);
  const frame = isSound ? Buffer.from(hex, 'hex') : repaired(golden);
  expect(push([frame]).map((event) => event.bytes.toString('hex'))).toEqual([frame.toString('hex')]);
  const data = accepted(handle(frame));
  if (isSound) expect(data.reply?.toString('hex') ?? null).toBe(decoded.ack ?? null);
  if (decoded.kind === 'message') expectMessage(data, golden);
  else expectRecords(data, golden);
}

describe.skipIf(!isThere)('the golden file', () => {
  it.each(cases.map((golden) => [golden.id, golden.name ?? '', golden] as const))('%s %s', (_id, _name, golden) => {
    const { decoded, transport } = golden;
    const bytes = Buffer.from(golden.hex, 'hex');
    if (decoded.kind === 'login') {
      const login = accepted(handle(bytes, teltonika.open()));
      expect(login.session.deviceId).toBe(decoded.imei);
      expect([login.reply?.toString('hex'), login.denial?.toString('hex')]).toEqual([decoded.ackAccept, decoded.ackReject]);
    } else if (decoded.kind === 'keepalive') {
      expect(accepted(handle(bytes)).reply).toBeNull();
    } else if (decoded.kind === 'incomplete') {
      const framer = teltonika.createFramer();
      expect(framer.push(bytes)).toEqual([]);
      expect(framer.bufferedBytes).toBe(decoded.have);
    } else if (transport === 'udp') {
      const { deviceId, handled } = teltonika.handleDatagram!(bytes, RECEIVED_AT);
      expect(deviceId).toBe(decoded.imei);
      expect(accepted(handled).reply?.toString('hex')).toBe(decoded.ack);
      expectRecords(accepted(handled), golden);
    } else expectTcp(golden);
  });
});
