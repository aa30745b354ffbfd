/** What comes of one letter: decoded again with what was known when it came, or left with the reason of now. */
import { describe, expect, it } from 'vitest';
import type { Replay } from '../../src/dead-letters/replay-letter.ts';
import { replayLetter } from '../../src/dead-letters/replay-letter.ts';
import { encodeAvlDatagram, encodeAvlFrame } from '../../src/protocols/teltonika/encode.ts';
import { encodeLogin, encodeOriginalLocation } from '../../src/protocols/gt06/encode.ts';
import { gt06 } from '../../src/protocols/gt06/index.ts';
import type { Handled } from '../../src/protocols/protocol.ts';
import { protocolNames, findProtocol } from '../../src/protocols/registry.ts';
import { teltonika } from '../../src/protocols/teltonika/index.ts';
import type { DeadLetter } from '../../src/shared/contracts/dead-letter-stream.ts';
import { encodeEntryPayload, decodeDeadLetter } from '../../src/shared/contracts/dead-letter-stream.ts';
import { encodeRecord } from '../../src/shared/contracts/stored-record.ts';
import type { TelemetryEntry } from '../../src/shared/contracts/telemetry-stream.ts';
import { decodeEntry, encodeEntry, partitionOf } from '../../src/shared/contracts/telemetry-stream.ts';
import { avlRecord, DOCUMENTED_FRAME, frameOf, IMEI } from '../protocols/teltonika/frames.ts';
import { letter, olderDecoder, record, takeIn } from './support.ts';

const TS = 1_690_000_000_000;
const NOW = TS + 86_400_000;
const CONTEXT = { partitions: 4, maxPastMs: 366 * 86_400_000, maxFutureMs: 60_000, now: NOW };
const SESSION = { deviceId: IMEI };

function replay(one: DeadLetter): Replay {
  return replayLetter(one, CONTEXT);
}

function replayed(one: DeadLetter): Extract<Replay, { kind: 'replayed' }> {
  const result = replay(one);
  if (result.kind !== 'replayed') expect.fail(`left: ${result.reason}`);
  return result;
}

function entryOf({ appends }: Extract<Replay, { kind: 'replayed' }>): TelemetryEntry {
  expect(appends[0]!.stream).toBe(`telemetry:{${partitionOf(entryText(appends[0]!.fields, 'device'), 4)}}`);
  return decodeEntry(appends[0]!.fields.map((field) => Buffer.from(field)));
}

function entryText(fields: readonly (string | Buffer)[], name: string): string {
  return String(fields[fields.findIndex((field) => String(field) === name) + 1]);
}

/** The one letter that ingest leaves of a frame. */
function letterOf(frame: Buffer, session: typeof SESSION | null, handle: () => Handled, protocol?: string): DeadLetter {
  const [only, ...others] = takeIn(frame, session, handle, protocol).deadLetters;
  expect(others).toEqual([]);
  return only!;
}

const throwing = (): Handled => { throw new TypeError('a bug'); };

describe('a frame', () => {
  const frame = encodeAvlFrame([avlRecord([[21, 1, 3]], { ts: TS })], '8');

  it('that an older decoder refused is records now, with the time at which it came', () => {
    const one = letterOf(frame, SESSION, () => olderDecoder('rssi')(SESSION, frame, TS));
    expect(one).toMatchObject({ reason: 'bad_field', field: 'records[0].rssi', session: JSON.stringify(SESSION) });
    const result = replayed({ ...one, at: 1_234 });
    expect(result).toMatchObject({ records: 1, letters: 0 });
    expect(result.appends).toHaveLength(1);
    expect(entryOf(result)).toMatchObject({ deviceId: IMEI, protocol: 'teltonika', receivedAt: 1_234 });
  });

  it('on which the decoder threw is records now', () => {
    expect(replayed(letterOf(frame, SESSION, throwing))).toMatchObject({ records: 1, letters: 0 });
  });

  it('of GT06 is read in the time zone that its login gave', () => {
    const login = gt06.handle(gt06.open(), encodeLogin({ imei: IMEI, modelCode: 1, zoneMinutes: 480 }, 1), TS);
    const fix = { ts: TS, latitude: 54.6872, longitude: 25.2797, speed: 48, course: 214, satellites: 9, valid: true };
    const location = encodeOriginalLocation(fix, 480, 2);
    const one = letterOf(location, login.session as typeof SESSION, throwing, 'gt06');
    const [result] = entryOf(replayed(one)).records;
    expect(result).toMatchObject({ ok: true, record: { ts: TS } });
  });

  it('without a session, as of a letter that was written before there was one, is that of the device', () => {
    const one = letterOf(frame, SESSION, throwing);
    expect(entryOf(replayed({ ...one, session: null })).deviceId).toBe(IMEI);
  });

  it('whose fault is what it was stays, whatever else is in it', () => {
    const two = encodeAvlFrame([avlRecord([], { ts: TS }), avlRecord([], { ts: TS + 1_000, latitude: 200 })], '8');
    const { recordCount, deadLetters } = takeIn(two, SESSION, () => teltonika.handle(SESSION, two, TS));
    expect(recordCount).toBe(1);
    expect(replay(deadLetters[0]!)).toEqual({ kind: 'left', reason: 'bad_field' });
  });

  it('of which one more record can be read leaves a letter for the other', () => {
    const three = encodeAvlFrame([
      avlRecord([], { ts: TS }),
      avlRecord([[21, 1, 3]], { ts: TS + 1_000 }),
      avlRecord([], { ts: TS + 2_000, latitude: 200 }),
    ], '8');
    const one = letterOf(three, SESSION, () => olderDecoder('rssi')(SESSION, three, TS));
    const before = { ...one, field: `${one.field}, records[2].latitude` };
    const result = replayed(before);
    expect(result).toMatchObject({ records: 2, letters: 1 });
    const rest = decodeDeadLetter(result.appends[1]!.fields.map((field) => Buffer.from(field)));
    expect(rest).toMatchObject({ reason: 'bad_field', field: 'records[2].latitude', at: before.at, raw: three, session: before.session });
    expect(replay(rest)).toEqual({ kind: 'left', reason: 'bad_field' });
  });

  it.each<[string, Partial<DeadLetter>, string]>([
    ['of a codec that is still unknown', { raw: frameOf(Buffer.from('99030203', 'hex')), reason: 'unknown_codec' }, 'unknown_codec'],
    ['whose counts still differ', { raw: frameOf(Buffer.from('08010000', 'hex')), reason: 'count_mismatch' }, 'count_mismatch'],
    ['that is damaged', { raw: Buffer.from(DOCUMENTED_FRAME.with(-1, 0)) }, 'checksum_mismatch'],
    ['that is none', { raw: Buffer.from('c0ffee', 'hex') }, 'invalid_imei'],
    ['of no bytes', { raw: Buffer.alloc(0) }, 'length_out_of_range'],
    ['of nobody', { raw: DOCUMENTED_FRAME, session: '{"deviceId":null}' }, 'not_logged_in'],
    ['that brings nothing', { raw: Buffer.from([0xff]) }, 'no_records'],
    ['of a protocol that is gone', { raw: DOCUMENTED_FRAME, protocol: 'h02' }, 'unknown_protocol'],
    ['of no protocol', { raw: DOCUMENTED_FRAME, protocol: null }, 'unknown_protocol'],
    ['with a session that is none', { raw: DOCUMENTED_FRAME, session: '{"deviceId":7}' }, 'malformed_entry'],
    ['with a session that is no JSON', { raw: DOCUMENTED_FRAME, session: '{' }, 'malformed_entry'],
  ])('%s stays', (_what, changes, reason) => {
    expect(replay(letter({ session: JSON.stringify(SESSION), ...changes }))).toEqual({ kind: 'left', reason });
  });
});

describe('a datagram', () => {
  it('says itself whose it is', () => {
    const datagram = encodeAvlDatagram(IMEI, [avlRecord([], { ts: TS })], '8', 1, 1);
    const one = letterOf(datagram, null, throwing);
    expect(one).toMatchObject({ deviceId: null, session: null });
    expect(entryOf(replayed(one))).toMatchObject({ deviceId: IMEI, protocol: 'teltonika' });
  });
});

describe('a record', () => {
  const payload = encodeRecord(record(TS, { attributes: new Map<string, number | bigint>([['a', -0], ['b', 2n ** 63n]]) }));

  it('goes back to the stream as the text that it was', () => {
    const result = replayed(letter({ reason: 'database_refused', payload, at: 99 }));
    expect(result.records).toBe(1);
    expect(entryText(result.appends[0]!.fields, 'records')).toBe(`[${payload}]`);
    expect(entryOf(result)).toMatchObject({ deviceId: IMEI, receivedAt: 99 });
  });

  it('whose clock is ahead stays until its time has come', () => {
    const ahead = (ts: number): DeadLetter => letter({ reason: 'clock_ahead', payload: encodeRecord(record(ts)) });
    expect(replay(ahead(NOW + 60_001))).toEqual({ kind: 'left', reason: 'clock_ahead' });
    expect(replayed(ahead(NOW + 60_000)).records).toBe(1);
  });

  it('whose clock was behind stays until such times are allowed', () => {
    const behind = letter({ reason: 'clock_behind', payload: encodeRecord(record(NOW - CONTEXT.maxPastMs - 1)) });
    expect(replay(behind)).toEqual({ kind: 'left', reason: 'clock_behind' });
    expect(replayLetter(behind, { ...CONTEXT, maxPastMs: CONTEXT.maxPastMs + 1 })).toMatchObject({ kind: 'replayed', records: 1 });
  });

  it.each<[string, Partial<DeadLetter>, string]>([
    ['with a latitude out of range', { payload: payload.replace('52.5', '214') }, 'malformed_entry'],
    ['with attributes that are no JSON', { payload: payload.replace('"a":-0', '"a":--') }, 'malformed_entry'],
    ['that is none', { payload: '[1,2' }, 'malformed_entry'],
    ['that is two', { payload: `${payload},${payload}` }, 'unreadable'],
    ['of nobody', { payload, deviceId: null }, 'unreadable'],
    ['of no protocol', { payload, protocol: null }, 'unreadable'],
    ['that is neither record nor entry', { payload: 'x' }, 'malformed_entry'],
    ['and no frame either', {}, 'unreadable'],
  ])('%s stays', (_what, changes, reason) => {
    expect(replay(letter(changes))).toEqual({ kind: 'left', reason });
  });
});

describe('an entry', () => {
  const fields = encodeEntry({ deviceId: 'a', protocol: 'gt06', receivedAt: 7, records: [record(TS), record(TS + 1)] })
    .map((text) => Buffer.from(text));

  it('goes back to the stream with the fields that it had', () => {
    const extra = [...fields, Buffer.from('more'), Buffer.from([0xff, 0])];
    const result = replayed(letter({ reason: 'max_deliveries', payload: encodeEntryPayload(extra) }));
    expect(result).toMatchObject({ records: 2, letters: 0 });
    expect(result.appends[0]!.fields.map((field) => Buffer.from(field))).toEqual(extra);
    expect(entryOf(result)).toMatchObject({ deviceId: 'a', protocol: 'gt06', receivedAt: 7 });
  });

  it.each([
    ['of another version', encodeEntryPayload(fields.with(1, Buffer.from('7'))), 'malformed_entry'],
    ['without a record that can be stored', encodeEntryPayload(fields).replaceAll('52.5', '214'), 'malformed_entry'],
    ['without records', encodeEntryPayload(encodeEntry({ deviceId: 'a', protocol: 'gt06', receivedAt: 7, records: [] }).map((text) => Buffer.from(text))), 'no_records'],
    ['that is no JSON', '{', 'malformed_entry'],
    ['with fields that are none', '{"version":1}', 'malformed_entry'],
  ])('%s stays', (_what, payload, reason) => {
    expect(replay(letter({ reason: 'malformed_entry', payload }))).toEqual({ kind: 'left', reason });
  });
});

it.each(protocolNames)('the session of %s comes back from JSON as it was', (name) => {
  const session = findProtocol(name)!.open();
  expect(JSON.parse(JSON.stringify(session))).toEqual(session);
});
