import { describe, expect, it } from 'vitest';
import type { FrameContext , StreamAppend } from '../../src/ingest/entries.ts';
import { frameEntries, refusedEntries } from '../../src/ingest/entries.ts';
import type { RejectedRecord } from '../../src/protocols/protocol.ts';
import { decodeDeadLetter } from '../../src/shared/contracts/dead-letter-stream.ts';
import { decodeEntry, partitionOf } from '../../src/shared/contracts/telemetry-stream.ts';
import type { TelemetryRecord } from '../../src/shared/model.ts';

const RECEIVED_AT = 1_700_000_000_000;
const DEVICE = '356307042441013';
const FRAME = Buffer.from('00112233', 'hex');

const context: FrameContext = {
  protocol: 'teltonika', deviceId: DEVICE, session: { deviceId: DEVICE }, receivedAt: RECEIVED_AT, now: RECEIVED_AT,
  frame: FRAME, partitions: 4, maxPastMs: 86_400_000, maxFutureMs: 60_000,
};

function record(changes: Partial<TelemetryRecord> = {}): TelemetryRecord {
  return {
    ts: RECEIVED_AT - 5_000, latitude: 54.6872, longitude: 25.2797, altitude: 112, course: 214, speed: 48,
    satellites: 12, hdop: null, valid: true, priority: 0, eventId: 0, attributes: new Map(), ...changes,
  };
}

function rejection(changes: Partial<RejectedRecord> = {}): RejectedRecord {
  return { code: 'bad_field', field: 'records[0].latitude', message: '99 is no latitude', raw: FRAME, ...changes };
}

function pairs(append: StreamAppend): Buffer[] {
  return append.fields.map((field) => Buffer.from(field));
}

describe('a frame', () => {
  it('is one entry on the partition of its device', () => {
    const records = [record(), record({ eventId: 1 })];
    const { appends, recordCount, rejected, deadLetters } = frameEntries({ records, rejected: [] }, context);
    expect(appends.map(({ stream }) => stream)).toEqual([`telemetry:{${partitionOf(DEVICE, 4)}}`]);
    const entry = decodeEntry(pairs(appends[0]!));
    expect(entry).toMatchObject({ deviceId: DEVICE, protocol: 'teltonika', receivedAt: RECEIVED_AT });
    expect(entry.records).toHaveLength(2);
    expect({ recordCount, rejected, deadLetters }).toEqual({ recordCount: 2, rejected: [], deadLetters: [] });
  });

  it('that brings nothing is nothing on the stream', () => {
    const nothing = { appends: [], recordCount: 0, rejected: [], deadLetters: [] };
    expect(frameEntries({ records: [], rejected: [] }, context)).toEqual(nothing);
  });

  it('of nobody with records is a mistake of the protocol', () => {
    expect(() => frameEntries({ records: [record()], rejected: [] }, { ...context, deviceId: null })).toThrow(/before it knew the device/);
  });

  it('of nobody that was rejected is a dead letter without a device', () => {
    const { appends } = frameEntries({ records: [], rejected: [rejection()] }, { ...context, deviceId: null });
    expect(decodeDeadLetter(pairs(appends[0]!))).toMatchObject({ deviceId: null, raw: FRAME });
  });
});

describe('a record', () => {
  it.each<[string, Partial<TelemetryRecord>, string]>([
    ['a latitude out of range', { latitude: 90.1 }, 'records[1].latitude'],
    ['a longitude out of range', { longitude: -181 }, 'records[1].longitude'],
    ['a speed that is no number', { speed: Number.NaN }, 'records[1].speed'],
    ['satellites beyond smallint', { satellites: 70_000 }, 'records[1].satellites'],
    ['a time that is none', { ts: 8.7e15 }, 'records[1].ts'],
    ['an attribute that is not finite', { attributes: new Map([['power', Number.POSITIVE_INFINITY]]) }, 'records[1].attributes.power'],
  ])('with %s is a dead letter that names the field; its neighbours are kept', (_what, changes, field) => {
    const records = [record(), record(changes), record({ eventId: 7 })];
    const result = frameEntries({ records, rejected: [] }, context);
    expect(result).toMatchObject({ recordCount: 2, rejected: ['bad_field'], deadLetters: [{ reason: 'bad_field' }] });
    const [entry, letter] = result.appends;
    expect(decodeEntry(pairs(entry!)).records.map((one) => one.ok && one.record.eventId)).toEqual([0, 7]);
    expect(letter!.stream).toBe('telemetry:dlq');
    expect(decodeDeadLetter(pairs(letter!))).toMatchObject({
      reason: 'bad_field', field, deviceId: DEVICE, protocol: 'teltonika', at: RECEIVED_AT, raw: FRAME, payload: null,
    });
  });

  it('is kept up to maxFutureMs ahead, and a dead letter with the record as payload beyond', () => {
    const kept = frameEntries({ records: [record({ ts: RECEIVED_AT + 60_000 })], rejected: [] }, context);
    expect(kept).toMatchObject({ recordCount: 1, deadLetters: [] });
    const ahead = frameEntries({ records: [record({ ts: RECEIVED_AT + 60_001 })], rejected: [] }, context);
    expect(ahead).toMatchObject({ recordCount: 0, deadLetters: [{ reason: 'clock_ahead' }] });
    const letter = decodeDeadLetter(pairs(ahead.appends[0]!));
    expect(letter).toMatchObject({ reason: 'clock_ahead', field: 'records[0].ts', raw: null });
    expect(letter.payload).toContain(String(RECEIVED_AT + 60_001));
    expect(letter.message).toContain("60 s ahead of the server's clock");
  });

  it('is kept up to maxPastMs behind, and a dead letter with the record as payload beyond', () => {
    const [oldest, older] = [RECEIVED_AT - 86_400_000, RECEIVED_AT - 86_400_001];
    const records = [record({ ts: older }), record({ ts: oldest })];
    const result = frameEntries({ records, rejected: [] }, context);
    expect(result).toMatchObject({ recordCount: 1, rejected: ['clock_behind'], deadLetters: [{ reason: 'clock_behind' }] });
    const letter = decodeDeadLetter(pairs(result.appends[1]!));
    expect(letter).toMatchObject({ reason: 'clock_behind', field: 'records[0].ts', raw: null });
    expect(letter.payload).toContain(String(older));
    expect(letter.message).toContain("86400 s behind the server's clock");
  });
});

it('a frame that is decoded again is held to the clock of then', () => {
  const handled = { records: [record({ ts: RECEIVED_AT + 60_001 })], rejected: [] };
  const { recordCount, appends } = frameEntries(handled, { ...context, now: RECEIVED_AT + 1 });
  expect(recordCount).toBe(1);
  expect(decodeEntry(pairs(appends[0]!)).receivedAt).toBe(RECEIVED_AT);
});

describe('dead letters of one frame', () => {
  it('with the same reason and bytes are one, which names every field', () => {
    const rejected = Array.from({ length: 255 }, (_, index) =>
      rejection({ field: `records[${index}].latitude`, message: `${index} is wrong`, raw: Buffer.from(FRAME) }),
    );
    const result = frameEntries({ records: [], rejected }, context);
    expect(result.appends).toHaveLength(1);
    expect(result.rejected).toHaveLength(255);
    expect(result.deadLetters).toHaveLength(1);
    const { field, message } = decodeDeadLetter(pairs(result.appends[0]!));
    expect(field.split(', ')).toHaveLength(255);
    expect(message.split('; ').at(-1)).toBe('254 is wrong');
  });

  it('with other reasons, other bytes or payloads stay apart', () => {
    const rejected = [rejection(), rejection({ code: 'truncated' }), rejection({ raw: Buffer.from('44', 'hex') })];
    const future = [record({ ts: RECEIVED_AT + 1e9 }), record({ ts: RECEIVED_AT + 2e9 })];
    const { deadLetters } = frameEntries({ records: future, rejected }, context);
    expect(deadLetters.map(({ reason }) => reason)).toEqual(['bad_field', 'truncated', 'bad_field', 'clock_ahead', 'clock_ahead']);
  });

  it('keep the session before the frame with its bytes; a datagram has none', () => {
    const session = { deviceId: DEVICE, zoneOffsetMs: 3_600_000 };
    const future = { records: [record({ ts: RECEIVED_AT + 1e9 })], rejected: [rejection()] };
    expect(frameEntries(future, { ...context, session }).deadLetters.map((letter) => letter.session))
      .toEqual([JSON.stringify(session), null]);
    expect(frameEntries(future, { ...context, session: null }).deadLetters.map((letter) => letter.session))
      .toEqual([null, null]);
  });

  it('hold bytes of their own, not views of the chunk', () => {
    const chunk = Buffer.from(FRAME);
    const rejected = [rejection({ raw: chunk })];
    const { appends } = frameEntries({ records: [], rejected }, { ...context, frame: chunk });
    chunk.fill(0);
    expect(decodeDeadLetter(pairs(appends[0]!)).raw).toEqual(FRAME);
  });
});

it('a refused frame is a dead letter with its bytes', () => {
  const refused = { code: 'count_mismatch', field: 'numberOfData2', message: 'differ' } as const;
  const { appends, recordCount } = refusedEntries(refused, context);
  expect(recordCount).toBe(0);
  expect(decodeDeadLetter(pairs(appends[0]!))).toMatchObject({
    reason: 'count_mismatch', field: 'numberOfData2', message: 'differ', raw: FRAME, deviceId: DEVICE,
  });
});
