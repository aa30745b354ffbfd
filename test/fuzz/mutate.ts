/**
 * Ways to spoil bytes: single bits and bytes, numbers at their edges where a count or a length may stand, pieces cut
 * out, doubled, moved, repeated up to the longest frame, or taken from another frame, and texts that hurt.
 */
import type { Random } from '../../src/simulator/random.ts';

type Mutation = (bytes: Buffer, random: Random, others: readonly Buffer[]) => Buffer;

/** Now and then a case is as long as a frame can be: what costs too much for its length shows there. */
const LONGEST = 65_536;
const EDGES = [
  0, 1, 2, 0x7f, 0x80, 0xfe, 0xff, 0x100, 0x7fff, 0x8000, 0xfffe, 0xffff, 0x10000, 0x7fffffff, 0x80000000, 0xffffffff,
];

const TEXTS: readonly Buffer[] = [
  '__proto__', 'constructor', 'a\0b', '\0', '\u2028', '1e400', 'NaN', '-Infinity', '9'.repeat(400), '.'.repeat(40),
  'ALM1=ff;__proto__=1;constructor=2', '=;=;', '<ICCID:', 'GTSL|1|2|3|4|', '!AIOIL,1,1.1,99.9,x,0000,1.1,0,1,ff',
  'Current position!Lat:N22.57,Lon:E113.91,Course:0.00,Speed:0.00,DateTime:2021-03-04 05:06:07', '{"__bigint":"1"}',
].map((text) => Buffer.from(text)).concat(['c328', 'a0a1', 'ed a0 80', 'f0 28 8c 28', 'd83d', '00d800d8', 'feff', 'ffff'].map(
  (hex) => Buffer.from(hex.replaceAll(' ', ''), 'hex'),
));

function place(bytes: Buffer, random: Random): number {
  return random.integer(0, bytes.length);
}

/** A piece of at least one byte, mostly short; of nothing nothing. */
function piece(bytes: Buffer, random: Random): readonly [start: number, end: number] {
  const start = random.integer(0, Math.max(0, bytes.length - 1));
  const longest = random.next() < 0.8 ? 16 : bytes.length;
  return [start, Math.min(bytes.length, start + random.integer(1, Math.max(1, longest)))];
}

function insert(bytes: Buffer, at: number, more: Buffer): Buffer {
  return Buffer.concat([bytes.subarray(0, at), more, bytes.subarray(at)]);
}

export function noise(length: number, random: Random): Buffer {
  const bytes = Buffer.allocUnsafe(length);
  for (let at = 0; at < length; at += 1) bytes[at] = random.integer(0, 255);
  return bytes;
}

const flipBit: Mutation = (bytes, random) => {
  if (bytes.length === 0) return bytes;
  const copy = Buffer.from(bytes);
  copy[random.integer(0, copy.length - 1)]! ^= 1 << random.integer(0, 7);
  return copy;
};

const writeNumber: Mutation = (bytes, random) => {
  const width = Math.min(bytes.length, random.pick([1, 1, 1, 2, 2, 4]));
  if (width === 0) return bytes;
  const copy = Buffer.from(bytes);
  const value = random.next() < 0.7 ? random.pick(EDGES) : random.integer(0, 0xffff);
  copy.writeUIntBE(value % 256 ** width, random.integer(0, copy.length - width), width);
  return copy;
};

const countUpOrDown: Mutation = (bytes, random) => {
  if (bytes.length === 0) return bytes;
  const copy = Buffer.from(bytes);
  copy[random.integer(0, copy.length - 1)]! += random.pick([-1, 1]);
  return copy;
};

const cutOut: Mutation = (bytes, random) => {
  const [start, end] = piece(bytes, random);
  return Buffer.concat([bytes.subarray(0, start), bytes.subarray(end)]);
};

const truncate: Mutation = (bytes, random) => bytes.subarray(0, place(bytes, random));

const double: Mutation = (bytes, random) => {
  const [start, end] = piece(bytes, random);
  return insert(bytes, end, bytes.subarray(start, end));
};

const move: Mutation = (bytes, random) => {
  const [start, end] = piece(bytes, random);
  const rest = Buffer.concat([bytes.subarray(0, start), bytes.subarray(end)]);
  return insert(rest, place(rest, random), bytes.subarray(start, end));
};

const insertNoise: Mutation = (bytes, random) => {
  const more = noise(random.integer(1, 16), random);
  return insert(bytes, place(bytes, random), more);
};

const insertText: Mutation = (bytes, random) => insert(bytes, place(bytes, random), random.pick(TEXTS));

const splice: Mutation = (bytes, random, others) => {
  const other = random.pick(others);
  return Buffer.concat([bytes.subarray(0, place(bytes, random)), other.subarray(place(other, random))]);
};

const fill: Mutation = (bytes, random) => {
  const [start, end] = piece(bytes, random);
  return Buffer.from(bytes).fill(random.pick([0, 0xff, 0x20, 0x30, 0x3b, random.integer(0, 255)]), start, end);
};

/** A short piece as often as a frame can hold it; rare, since one costs as much as hundreds of others. */
const repeat: Mutation = (bytes, random) => {
  if (bytes.length === 0) return bytes;
  const [start, end] = random.next() < 0.5 ? piece(bytes, random) : [0, 0];
  const unit = start < end
    ? bytes.subarray(start, Math.min(end, start + 24))
    : Buffer.alloc(1, random.pick([0, 0x20, 0x3b, 0xff]));
  const room = random.next() < 0.5 ? LONGEST - bytes.length - 16 : random.integer(256, 4_096);
  return insert(bytes, end === 0 ? place(bytes, random) : end, Buffer.alloc(Math.max(0, room), unit));
};

const MUTATIONS: readonly Mutation[] = [
  flipBit, flipBit, writeNumber, writeNumber, writeNumber, countUpOrDown, countUpOrDown, cutOut, truncate, double, move,
  insertNoise, insertText, splice, fill,
];
const REPEATS_ONE_IN = 400;

/** `bytes` spoiled in one to six ways. `others`: frames to take pieces from. */
export function mutate(bytes: Buffer, random: Random, others: readonly Buffer[]): Buffer {
  let mutated = bytes;
  for (let times = random.integer(1, random.pick([1, 2, 6])); times > 0; times -= 1) {
    mutated = random.pick(MUTATIONS)(mutated, random, others);
  }
  if (random.integer(1, REPEATS_ONE_IN) === 1) mutated = repeat(mutated, random, others);
  return mutated.subarray(0, LONGEST);
}
