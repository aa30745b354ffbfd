import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { rawName, IO_ELEMENTS } from '../../../src/protocols/teltonika/io-elements.ts';
import { encodeAvlFrame, encodeCommand } from '../../../src/protocols/teltonika/encode.ts';
import type { AvlCodec, AvlIoElement, AvlRecord } from '../../../src/protocols/teltonika/encode.ts';
import { DOCUMENTED_FRAME, accepted, avlRecord, handle } from './frames.ts';

const NAMED_IDS = new Set(IO_ELEMENTS.map(({ id }) => id));

/** Elements without a name come back as they were sent. */
function ioElement(codec: AvlCodec): fc.Arbitrary<AvlIoElement> {
  const id = fc.integer({ min: 0, max: codec === '8' ? 255 : 65_535 }).filter((candidate) => !NAMED_IDS.has(candidate));
  const fixed = fc.oneof(
    fc.tuple(id, fc.constant(1), fc.nat(255)),
    fc.tuple(id, fc.constant(2), fc.nat(65_535)),
    fc.tuple(id, fc.constant(4), fc.nat(4_294_967_295)),
    fc.tuple(id, fc.constant(8), fc.bigInt({ min: 0n, max: 2n ** 64n - 1n })),
  );
  if (codec !== '8E') return fixed;
  const bytes = fc.uint8Array({ maxLength: 40 }).filter(({ length }) => ![1, 2, 4, 8].includes(length));
  const variable = fc.tuple(id, bytes).map(([element, value]) => [element, value.length, Buffer.from(value)] as const);
  return fc.oneof(fixed, variable);
}

function record(codec: AvlCodec): fc.Arbitrary<AvlRecord> {
  return fc.record({
    ts: fc.nat(4_102_444_800_000),
    priority: fc.nat(2),
    longitude: fc.integer({ min: -1_800_000_000, max: 1_800_000_000 }).map((value) => value / 1e7),
    latitude: fc.integer({ min: -900_000_000, max: 900_000_000 }).map((value) => value / 1e7),
    altitude: fc.integer({ min: -32_768, max: 32_767 }),
    angle: fc.nat(360),
    satellites: fc.nat(255),
    speed: fc.nat(65_535),
    eventId: fc.nat(codec === '8' ? 255 : 65_535),
    io: fc.uniqueArray(ioElement(codec), { maxLength: 20, selector: ([id]) => id }),
  });
}

/** Groups are sent by width; an 8-byte value is a bigint only where it must be. */
function expectedIo(io: readonly AvlIoElement[]): [string, unknown][] {
  const rank = ([, width]: AvlIoElement): number => ([1, 2, 4, 8].includes(width) ? width : 9);
  return [...io].sort((a, b) => rank(a) - rank(b)).map(([id, , value]) =>
    [rawName(id), typeof value === 'bigint' && value < 2n ** 53n ? Number(value) : value]);
}

function expectedPosition({ latitude, longitude, altitude, angle, speed }: AvlRecord): (number | null)[] {
  if (latitude === 0 && longitude === 0) return [null, null, null, null, null];
  return [latitude, longitude, altitude, angle, speed];
}

describe('the encoder', () => {
  it('builds the documented frame', () => {
    const frame = encodeAvlFrame([{
      ts: Date.UTC(2019, 5, 10, 10, 4, 46), priority: 1, longitude: 0, latitude: 0, altitude: 0, angle: 0,
      satellites: 0, speed: 0, eventId: 1, io: [[21, 1, 3], [1, 1, 1], [66, 2, 24_079], [241, 4, 24_602], [78, 8, 0]],
    }], '8');
    expect(frame).toEqual(DOCUMENTED_FRAME);
  });

  it('builds the documented command', () => {
    expect(encodeCommand('getinfo').toString('hex')).toBe('000000000000000f0c010500000007676574696e666f0100004312');
  });

  for (const codec of ['8', '8E', '16'] as const) {
    it(`builds frames of codec ${codec} that decode to what they were made of`, () => {
      fc.assert(fc.property(fc.array(record(codec), { maxLength: 5 }), (records) => {
        const decoded = accepted(handle(encodeAvlFrame(records, codec)));
        expect(decoded.rejected).toEqual([]);
        expect(decoded.records).toHaveLength(records.length);
        for (const [index, sent] of records.entries()) {
          const { attributes, ...read } = decoded.records[index]!;
          const { ts, priority, eventId, satellites } = sent;
          expect(read).toMatchObject({ ts, priority, eventId, satellites });
          const position = [read.latitude, read.longitude, read.altitude, read.course, read.speed];
          expect(position).toEqual(expectedPosition(sent));
          const rest = [...attributes].filter(([name]) => name !== 'generationType');
          expect(rest).toEqual(expectedIo(sent.io));
        }
      }), { numRuns: 100 });
    });
  }

  it('refuses what the codec cannot carry', () => {
    const impossible = [
      () => encodeAvlFrame([avlRecord([[256, 17, Buffer.alloc(17)]])], '8'),
      () => encodeAvlFrame([avlRecord([[10_800, 2, 1]])], '8'),
      () => encodeAvlFrame([avlRecord([[21, 1, 256]])], '8E'),
      () => encodeAvlFrame([avlRecord([[21, 8, 2n ** 64n]])], '8E'),
      () => encodeAvlFrame([avlRecord([[21, 3, 1]])], '8E'),
      () => encodeAvlFrame([avlRecord([[21, 3, Buffer.alloc(2)]])], '8E'),
      () => encodeAvlFrame(Array.from({ length: 256 }, () => avlRecord()), '8E'),
    ];
    for (const encode of impossible) expect(encode).toThrow(RangeError);
  });
});
