import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { PING, encodeAvlFrame, encodeCommandResponse, encodeLogin } from '../../../src/protocols/teltonika/encode.ts';
import { teltonika } from '../../../src/protocols/teltonika/index.ts';
import { DOCUMENTED_FRAME, IMEI, avlRecord, push, summary } from './frames.ts';

const FRAMES = [
  PING, encodeLogin(IMEI), PING, DOCUMENTED_FRAME, encodeCommandResponse('DI1:1 DI2:0'),
  encodeAvlFrame([avlRecord([[239, 1, 1], [256, 17, Buffer.from('WVWZZZ1KZAW000001')]])], '8E'), PING, PING,
  encodeAvlFrame([avlRecord([[66, 2, 12_500]])], '16'), encodeLogin('356307042441014'),
];
const STREAM = Buffer.concat(FRAMES);
const EXPECTED = FRAMES.map((frame) => frame.toString('hex'));

function splitAt(bytes: Buffer, points: readonly number[]): Buffer[] {
  const edges = [0, ...[...points].sort((a, b) => a - b), bytes.length];
  return edges.slice(1).map((edge, index) => bytes.subarray(edges[index], edge));
}

describe('the framer', () => {
  it('cuts pings, logins and data frames out of one chunk', () => {
    expect(summary(push([STREAM]))).toEqual(EXPECTED);
  });

  it('gives the same frames at every split point', () => {
    for (let point = 0; point <= STREAM.length; point += 1) {
      expect(summary(push(splitAt(STREAM, [point])))).toEqual(EXPECTED);
    }
  });

  it('gives the same frames a byte at a time', () => {
    expect(summary(push([...STREAM].map((byte) => Buffer.from([byte]))))).toEqual(EXPECTED);
  });

  it('gives the same events of any bytes, however they are split', () => {
    const bytes = fc.oneof(
      fc.uint8Array({ maxLength: 60 }),
      fc.uint8Array({ maxLength: 12 }).map((tail) => Buffer.concat([STREAM.subarray(0, 120), tail])),
    ).map((content) => Buffer.from(content));
    fc.assert(fc.property(bytes, fc.array(fc.nat(130), { maxLength: 6 }), (stream, points) => {
      const splits = splitAt(stream, points.map((point) => Math.min(point, stream.length)));
      expect(summary(push(splits))).toEqual(summary(push([stream])));
      expect(summary(push([...stream].map((byte) => Buffer.from([byte]))))).toEqual(summary(push([stream])));
    }), { numRuns: 300 });
  });

  it('hands out views of the chunk where a frame lies within it', () => {
    const chunk = Buffer.from(DOCUMENTED_FRAME);
    const [event] = push([chunk]);
    expect(event?.bytes.buffer).toBe(chunk.buffer);
  });

  it('keeps its hands off a frame that it has given away', () => {
    const framer = teltonika.createFramer();
    framer.push(DOCUMENTED_FRAME.subarray(0, 30));
    const [first] = framer.push(DOCUMENTED_FRAME.subarray(30));
    framer.push(STREAM.subarray(1, 10));
    framer.push(STREAM.subarray(10, 200));
    expect(first?.bytes.equals(DOCUMENTED_FRAME)).toBe(true);
  });

  it('gives no frame for any prefix of one, and counts what it holds', () => {
    for (let length = 0; length < DOCUMENTED_FRAME.length; length += 1) {
      const framer = teltonika.createFramer();
      expect(framer.push(DOCUMENTED_FRAME.subarray(0, length))).toEqual([]);
      expect(framer.bufferedBytes).toBe(length);
    }
  });

  it('holds nothing between frames', () => {
    const framer = teltonika.createFramer();
    for (const byte of STREAM) framer.push(Buffer.from([byte]));
    expect(framer.bufferedBytes).toBe(0);
  });
});

describe('a stream that is not of Teltonika', () => {
  it('is broken at its first byte where that proves it', () => {
    for (const text of ['GET / HTTP/1.1\r\n', '*HQ,4106', 'imei:1', '\x16\x03\x01', '\x01', '\xfe']) {
      const bytes = Buffer.from(text, 'latin1');
      expect(summary(push([bytes]))).toEqual([`broken bad_preamble ${bytes.toString('hex', 0, 1)}`]);
    }
  });

  it('is broken where the preamble ends too early', () => {
    expect(summary(push([Buffer.from('0000010000000036', 'hex')]))).toEqual(['broken bad_preamble 000001']);
    expect(summary(push([Buffer.from('0000000100000036', 'hex')]))).toEqual(['broken bad_preamble 00000001']);
  });

  it('is broken by a login longer than any identifier', () => {
    expect(summary(push([Buffer.from('0015', 'hex')]))).toEqual(['broken length_out_of_range 0015']);
    expect(summary(push([Buffer.from('00ff30', 'hex')]))).toEqual(['broken length_out_of_range 00ff']);
  });

  it('is broken by a data field that is shorter than any', () => {
    for (const length of ['00000000', '00000002']) {
      expect(summary(push([Buffer.from(`00000000${length}08`, 'hex')])))
        .toEqual([`broken length_out_of_range 00000000${length}`]);
    }
  });

  it('is broken by a data field longer than the largest frame, before any of it is held', () => {
    const header = Buffer.from('00000000ffffffff', 'hex');
    expect(summary(push([header]))).toEqual(['broken length_out_of_range 00000000ffffffff']);
    expect(summary(push([DOCUMENTED_FRAME], DOCUMENTED_FRAME.length))).toEqual([DOCUMENTED_FRAME.toString('hex')]);
    expect(summary(push([DOCUMENTED_FRAME], DOCUMENTED_FRAME.length - 1)))
      .toEqual(['broken length_out_of_range 0000000000000036']);
  });

  it('brings nothing more once it is broken', () => {
    const framer = teltonika.createFramer();
    expect(summary(framer.push(Buffer.concat([PING, Buffer.from('GET'), DOCUMENTED_FRAME]))))
      .toEqual(['ff', 'broken bad_preamble 47']);
    expect(framer.push(DOCUMENTED_FRAME)).toEqual([]);
    expect(framer.bufferedBytes).toBe(0);
  });

  it('holds at most one frame of the largest size', () => {
    const framer = teltonika.createFramer(1_292);
    framer.push(Buffer.from('0000000000000500', 'hex'));
    framer.push(Buffer.alloc(1_283));
    expect(framer.bufferedBytes).toBe(1_291);
    expect(framer.push(Buffer.alloc(1))).toHaveLength(1);
  });
});
