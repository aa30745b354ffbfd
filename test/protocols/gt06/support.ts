/** What the GT06 tests share: reading hex, running a stream through framer and session, records as plain data. */
import type { AttributeValue, TelemetryRecord } from '../../../src/shared/model.ts';
import type { Accepted, FramerEvent, Handled } from '../../../src/protocols/protocol.ts';
import { encodeLogin } from '../../../src/protocols/gt06/encode.ts';
import { gt06 } from '../../../src/protocols/gt06/index.ts';
import type { Gt06Session } from '../../../src/protocols/gt06/login.ts';

export const IMEI = '123456789012345';

export const RECEIVED_AT = Date.UTC(2026, 2, 4, 5, 6, 7, 890);

export function bytes(hex: string): Buffer {
  return Buffer.from(hex.replaceAll(' ', ''), 'hex');
}

/** All events of a stream that is cut before each of the offsets. */
export function eventsOf(stream: Buffer, cuts: readonly number[] = []): FramerEvent[] {
  const framer = gt06.createFramer();
  const ends = [...cuts, stream.length];
  return ends.flatMap((end, index) => [...framer.push(stream.subarray(ends[index - 1] ?? 0, end))]);
}

/** A session after the login, in a time zone if one is given. */
export function loggedIn(zoneMinutes?: number): Gt06Session {
  const login = zoneMinutes === undefined ? { imei: IMEI } : { imei: IMEI, modelCode: 0x3600, zoneMinutes };
  return accepted(gt06.handle(gt06.open(), encodeLogin(login, 1), RECEIVED_AT)).session;
}

/** The result of a frame of a device that is logged in. */
export function handled(frame: Buffer, receivedAt = RECEIVED_AT, zoneMinutes?: number): Handled<Gt06Session> {
  return gt06.handle(loggedIn(zoneMinutes), frame, receivedAt);
}

export function accepted(result: Handled<Gt06Session>): Accepted<Gt06Session> {
  if (result.kind !== 'accepted') throw new Error(`refused: ${result.code}: ${result.message}`);
  return result;
}

/** A record as a vector file writes it: the time in ISO 8601, a Buffer as `{ hex }`. */
export function plain(record: TelemetryRecord): object {
  const attributes = [...record.attributes].map(([name, value]) => [name, plainValue(value)] as const);
  return { ...record, ts: new Date(record.ts).toISOString(), attributes: Object.fromEntries(attributes) };
}

function plainValue(value: AttributeValue): unknown {
  return Buffer.isBuffer(value) ? { hex: value.toString('hex') } : value;
}
