/** Stream entries as the processor takes them: whatever they hold, decoding them is a value. */
import { describe, expect, test } from 'vitest';
import { decodeDelivered, entryLetter } from '../../src/core/entry.ts';
import { encodeEntry } from '../../src/shared/contracts/telemetry-stream.ts';

const RECORD = {
  ts: 1_000, latitude: 1, longitude: 2, altitude: null, course: null, speed: null, satellites: null, hdop: null,
  valid: true, priority: 0, eventId: 0, attributes: new Map([['ignition', true]]),
};
const FIELDS = encodeEntry({ deviceId: 'a', protocol: 'teltonika', receivedAt: 7, records: [RECORD] })
  .map((text) => Buffer.from(text));

function decode(fields: readonly Buffer[] | null): ReturnType<typeof decodeDelivered> {
  return decodeDelivered({ stream: 's', id: '1-1', fields, deliveries: 1 }, false);
}

describe('decodeDelivered', () => {
  test('gives the records with their attributes as they are on the stream', () => {
    const entry = decode(FIELDS);
    expect(entry).toMatchObject({ stream: 's', id: '1-1', deviceId: 'a', protocol: 'teltonika', receivedAt: 7, deadLetters: [] });
    expect(entry.records.map(({ attributesJson }) => attributesJson.toString())).toEqual(['{"ignition":true}']);
  });

  test('an entry that is no longer on the stream holds nothing', () => {
    expect(decode(null)).toMatchObject({ records: [], deadLetters: [] });
  });

  test.each(['version', 'device', 'protocol', 'receivedAt', 'count', 'records'])('an entry without %s is one dead letter', (name) => {
    const at = FIELDS.findIndex((field) => field.toString() === name);
    const entry = decode(FIELDS.toSpliced(at, 2));
    expect(entry.records).toEqual([]);
    expect(entry.deadLetters).toMatchObject([{ reason: 'malformed_entry', field: name, origin: 's/1-1' }]);
  });

  test('any bytes in the place of the records are one dead letter', () => {
    for (const text of ['', '[', '[]x', '[[]]', '[null]', '{}', '[[1,2', '[,]', '\0', '[[1,2,3,4,5,6,7,8,true,1,1,1e99,{}]]']) {
      const fields = FIELDS.with(-1, Buffer.from(text));
      expect(decode(fields)).toMatchObject({ records: [], deadLetters: [{ reason: 'malformed_entry' }] });
    }
  });

  test('a bug in reading the records is one dead letter with the payload, not the end of the processor', () => {
    const indexOf = (): number => { throw new TypeError('a bug'); };
    const entry = decode(FIELDS.with(-1, Object.assign(Buffer.from('[[1]]'), { indexOf })));
    expect(entry.deadLetters).toMatchObject([{ reason: 'internal_error', message: 'a bug', deviceId: 'a' }]);
    expect(JSON.parse(entry.deadLetters[0]?.payload ?? '')).toMatchObject({ device: 'a', records: '[[1]]' });
  });
});

test('a dead letter of a whole entry keeps what is no text as base64', () => {
  const fields = [Buffer.from('device'), Buffer.from('a'), Buffer.from('raw'), Buffer.from([0xff])];
  const letter = entryLetter({ stream: 's', id: '1-1', fields }, 'malformed_entry', { field: 'version', message: 'm' });
  expect(JSON.parse(letter.payload ?? '')).toEqual({ device: 'a', raw: { __buffer_b64: '/w==' } });
});
