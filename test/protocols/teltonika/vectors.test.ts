/**
 * The worked examples of the vendor's documentation, in `vectors/`: the bytes, every field of every record that they
 * hold (attributes in the JSON of `src/shared/attributes.ts`) and the answer. Messages without a time have that of
 * receipt, `RECEIVED_AT`.
 */
import { readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { decodeAttributes } from '../../../src/shared/attributes.ts';
import type { TelemetryRecord } from '../../../src/shared/model.ts';
import { teltonika } from '../../../src/protocols/teltonika/index.ts';
import { LOGGED_IN, RECEIVED_AT, accepted, push } from './frames.ts';

interface Vector {
  readonly title: string;
  readonly document: string;
  readonly transport: 'tcp' | 'udp';
  readonly hex: string;
  readonly deviceId: string;
  readonly answer: string | null;
  readonly records: readonly (Omit<TelemetryRecord, 'attributes'> & { readonly attributes: unknown })[];
}

const FOLDER = join(import.meta.dirname, 'vectors');
const vectors = readdirSync(FOLDER).sort().map((name) => JSON.parse(readFileSync(join(FOLDER, name), 'utf8')) as Vector);

function expectedRecords(vector: Vector): readonly TelemetryRecord[] {
  return vector.records.map((record) => ({ ...record, attributes: decodeAttributes(record.attributes) }));
}

describe('a documented example', () => {
  it.each(vectors.map((vector) => [vector.title, vector] as const))('decodes in full: %s', (_title, vector) => {
    const bytes = Buffer.from(vector.hex, 'hex');
    const isLogin = vector.transport === 'tcp' && bytes.readUInt16BE(0) > 0;
    const session = isLogin ? teltonika.open() : LOGGED_IN;
    const handled = vector.transport === 'udp'
      ? teltonika.handleDatagram!(bytes, RECEIVED_AT).handled
      : teltonika.handle(session, bytes, RECEIVED_AT);
    const { records, rejected, reply, session: next } = accepted(handled);
    expect(records).toEqual(expectedRecords(vector));
    expect(rejected).toEqual([]);
    expect(reply?.toString('hex') ?? null).toBe(vector.answer);
    expect(next.deviceId).toBe(vector.deviceId);
  });

  it('is one frame of a stream', () => {
    const frames = vectors.filter(({ transport }) => transport === 'tcp').map(({ hex }) => hex);
    const stream = Buffer.from(frames.join(''), 'hex');
    expect(push([stream]).map(({ bytes }) => bytes.toString('hex'))).toEqual(frames);
  });
});
