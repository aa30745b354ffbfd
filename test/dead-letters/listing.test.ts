/** Letters as an operator, or a program of theirs, reads them. */
import { describe, expect, it } from 'vitest';
import type { StoredLetter } from '../../src/dead-letters/letters.ts';
import { listJson, listLine, showJson, showText } from '../../src/dead-letters/listing.ts';
import { CodecError } from '../../src/shared/errors.ts';
import { letter } from './support.ts';

const ID = '1763635200000-0';
const RAW = Buffer.from('c0ffee', 'hex');

function stored(changes: Parameters<typeof letter>[0] = {}): StoredLetter {
  return { id: ID, fields: [], letter: letter({ raw: RAW, session: '{"deviceId":"a"}', ...changes }) };
}

const UNREADABLE: StoredLetter = {
  id: ID, fields: [Buffer.from('a'), Buffer.from('b')], letter: null, error: new CodecError('version', '1', '7'),
};

describe('a line of the list', () => {
  it('has id, time, reason, device, protocol, field and message', () => {
    expect(listLine(stored())).toBe(
      `${ID}  2025-11-20T10:40:00.000Z  bad_field         356307042441013   teltonika  records[0].latitude  no such latitude\n`,
    );
  });

  it('is one line, without control characters and of bounded length, whatever is in the letter', () => {
    const line = listLine(stored({ message: `a\nb\u001b[2J${'x'.repeat(1_000)}`, deviceId: null, field: '' }));
    expect(line).toMatch(/^[^\n]+\n$/);
    expect(line).not.toContain('\u001b');
    expect(line.length).toBeLessThan(300);
    expect(line).toContain('  -  ');
  });

  it('says why a letter cannot be read', () => {
    expect(listLine(UNREADABLE)).toBe(`${ID}  2025-11-20T10:40:00.000Z  unreadable: version: expected 1, got "7"\n`);
  });

  it('as JSON has the size in the place of the content', () => {
    expect(JSON.parse(listJson(stored()))).toEqual({
      id: ID, time: '2025-11-20T10:40:00.000Z', reason: 'bad_field', device: '356307042441013', protocol: 'teltonika',
      field: 'records[0].latitude', message: 'no such latitude', at: 1_700_000_000_000, origin: null, bytes: 3,
    });
  });
});

describe('a letter that is shown', () => {
  it('has its bytes as hex, its session and what the reason means', () => {
    const text = showText(stored());
    expect(text).toContain('raw         c0ffee\n');
    expect(text).toContain('session     {"deviceId":"a"}\n');
    expect(text).toContain('received    2023-11-14T22:13:20.000Z\n');
    expect(text).toMatch(/^meaning {5}A field has a value/m);
    expect(text).not.toMatch(/^(?:origin|payload)/m);
  });

  it('as JSON has everything', () => {
    expect(JSON.parse(showJson(stored({ payload: '[1]', origin: 's/1-1' })))).toMatchObject({
      id: ID, raw: 'c0ffee', session: '{"deviceId":"a"}', payload: '[1]', origin: 's/1-1', at: 1_700_000_000_000,
    });
  });

  it('that cannot be read has all its fields', () => {
    expect(JSON.parse(showJson(UNREADABLE))).toMatchObject({ unreadable: 'version: expected 1, got "7"', fields: '{"a":"b"}' });
    expect(showText(UNREADABLE)).toContain('fields      {"a":"b"}\n');
  });

  it('with a time that no calendar has is shown all the same', () => {
    expect(listLine({ ...UNREADABLE, id: '18446744073709551615-0' })).toContain('+275760-09-13');
  });
});
