import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { gt06 } from '../../../src/protocols/gt06/index.ts';
import { bytes, eventsOf } from './support.ts';

const LOGIN = bytes('78780d01012345678901234500018cdd0d0a');
const HEARTBEAT = bytes('78780a134004040001000fdcee0d0a');
const STATIONS = bytes(firstFrame('stations.json', 'base stations of 4G (A1)'));
const WIFI = bytes(firstFrame('stations.json', 'Wi-Fi packet without CRC (69)'));
const INFORMATION = bytes(firstFrame('information.json', 'terminal settings (94 04)'));
const FRAMES = [LOGIN, HEARTBEAT, WIFI, STATIONS, INFORMATION, HEARTBEAT];
const STREAM = Buffer.concat(FRAMES);
const EXPECTED = FRAMES.map((frame) => ({ kind: 'frame', bytes: frame }));

function firstFrame(file: string, name: string): string {
  const text = readFileSync(resolve(import.meta.dirname, 'vectors', file), 'utf8');
  return (JSON.parse(text) as { name: string; frame: string }[]).find((vector) => vector.name === name)!.frame;
}

describe('the framer', () => {
  it('cuts many frames out of one chunk', () => {
    expect(eventsOf(STREAM)).toEqual(EXPECTED);
  });

  it('finds the same frames at every split point', () => {
    for (let at = 1; at < STREAM.length; at += 1) expect(eventsOf(STREAM, [at])).toEqual(EXPECTED);
  });

  it('finds the same frames in chunks of one byte', () => {
    expect(eventsOf(STREAM, Array.from({ length: STREAM.length - 1 }, (_, index) => index + 1))).toEqual(EXPECTED);
  });

  it('waits at every truncation, and keeps no more than was sent', () => {
    for (const frame of FRAMES) {
      for (let length = 0; length < frame.length; length += 1) {
        const framer = gt06.createFramer();
        expect(framer.push(frame.subarray(0, length))).toEqual([]);
        expect(framer.bufferedBytes).toBe(length);
      }
    }
  });

  it('takes memory for what came of a frame, not for what its length claims', () => {
    const before = process.memoryUsage().arrayBuffers;
    const framers = Array.from({ length: 200 }, () => gt06.createFramer());
    for (const framer of framers) framer.push(bytes('7979fff094'));
    expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(200 * 8 * 1024);
    expect(framers.map(({ bufferedBytes }) => bufferedBytes)).toEqual(framers.map(() => 5));
  });

  it('waits for no more access points of a Wi-Fi packet than the longest frame holds', () => {
    const framer = gt06.createFramer(512);
    const events = framer.push(Buffer.concat([bytes('7878ff17'), Buffer.alloc(1_000, 0x11)]));
    expect(events).toMatchObject([{ kind: 'broken', code: 'length_out_of_range' }]);
    expect(framer.bufferedBytes).toBe(0);
  });

  it('keeps nothing after a whole frame', () => {
    const framer = gt06.createFramer();
    framer.push(STREAM);
    expect(framer.bufferedBytes).toBe(0);
  });

  it('does not end a frame at a 0d0a inside it', () => {
    const frame = bytes('7979000e9b0332382e33a1e60d0a0289be490d0a');
    expect(eventsOf(frame)).toEqual([{ kind: 'frame', bytes: frame }]);
  });

  it('takes a packet of the general layout whose number is also that of the Wi-Fi packet', () => {
    const frame = bytes('78780b17aabbccddeeff0001 0000 0d0a');
    expect(eventsOf(frame)).toEqual([{ kind: 'frame', bytes: frame }]);
  });

  it('does not take a Wi-Fi packet for the general layout, even if it has 0d0a in that place', () => {
    const start = bytes('78780817 171023110829 2a0d0a345678 5a');
    const whole = Buffer.concat([start, Buffer.alloc(7 * 7, 0x11), bytes('00 01cc00 0d0a')]);
    expect(eventsOf(whole)).toEqual([{ kind: 'frame', bytes: whole }]);
  });
});

describe('a stream that cannot be GT06', () => {
  it.each([
    ['another first byte', '7e78', 'bad_preamble', '7e'],
    ['two different start bits', '7879', 'bad_preamble', '7879'],
    ['a length of 0', '787800130d0a', 'length_out_of_range', '78780013'],
    ['a length that does not lead to the stop bit', '78780a134004040001000fdcee0d0b', 'missing_delimiter',
      '78780a134004040001000fdcee0d0b'],
    ['a Wi-Fi packet without its stop bit', '78780017171023110829 00 01cc00 0000', 'missing_delimiter',
      '7878001717102311082900 01cc000000'],
  ])('breaks at %s', (_, hex, code, shown) => {
    expect(eventsOf(bytes(hex))).toMatchObject([{ kind: 'broken', code, bytes: bytes(shown) }]);
  });

  it('breaks the same way in chunks of one byte', () => {
    const stream = Buffer.concat([HEARTBEAT, bytes('78780a134004040001000fdcee0d0b'), HEARTBEAT]);
    const cuts = Array.from({ length: stream.length - 1 }, (_, index) => index + 1);
    expect(eventsOf(stream, cuts)).toEqual(eventsOf(stream));
  });

  it('gives nothing after it broke', () => {
    const framer = gt06.createFramer();
    expect(framer.push(bytes('ff'))).toHaveLength(1);
    expect(framer.push(HEARTBEAT)).toEqual([]);
    expect(framer.bufferedBytes).toBe(0);
  });

  it('is refused a frame above the given limit before the frame is there', () => {
    const framer = gt06.createFramer(100);
    expect(framer.push(bytes('7979010094'))).toMatchObject([{ kind: 'broken', code: 'length_out_of_range' }]);
  });

  it('shows at most 256 bytes', () => {
    const stream = Buffer.concat([bytes('7979020094'), Buffer.alloc(0x0201)]);
    const [event] = eventsOf(stream);
    expect(event).toMatchObject({ kind: 'broken', code: 'missing_delimiter' });
    expect(event!.bytes).toHaveLength(256);
  });
});

describe('any bytes', () => {
  const piece = fc.oneof(
    fc.constantFrom(...FRAMES),
    fc.uint8Array({ maxLength: 40 }).map((array) => Buffer.from(array)),
    fc.uint8Array({ maxLength: 40 }).map((array) => Buffer.concat([bytes('7878'), array])),
  );

  it('give the same events however they are cut', () => {
    const streams = fc.array(piece, { maxLength: 6 });
    fc.assert(fc.property(streams, fc.array(fc.nat(300), { maxLength: 8 }), (pieces, cuts) => {
      const stream = Buffer.concat(pieces);
      const sorted = cuts.filter((cut) => cut < stream.length).sort((a, b) => a - b);
      expect(eventsOf(stream, sorted)).toEqual(eventsOf(stream));
    }), { numRuns: 300 });
  });
});
