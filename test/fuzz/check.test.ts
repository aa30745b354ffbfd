/** The fuzzer finds what it is there to find: protocols with one fault each. */
import { expect, test } from 'vitest';
import type { Framer, FramerEvent, Protocol } from '../../src/protocols/protocol.ts';
import { teltonika } from '../../src/protocols/teltonika/index.ts';
import { DOCUMENTED_FRAME } from '../protocols/teltonika/frames.ts';
import type { Way } from './case.ts';
import { check } from './check.ts';

function problemOf(changes: Partial<Protocol>, way: Way = 'frame'): string | null {
  return check({ protocol: { ...teltonika, ...changes }, way, bytes: DOCUMENTED_FRAME, cutSeed: 6 }).problem;
}

const withValue = (value: string): Partial<Protocol> => ({
  handle: (session, frame, receivedAt) => {
    const handled = teltonika.handle(session, frame, receivedAt);
    if (handled.kind === 'refused') return handled;
    return { ...handled, records: handled.records.map((one) => ({ ...one, attributes: new Map([['text', value]]) })) };
  },
});

/** Gives a frame for every chunk. */
class ChunkFramer implements Framer {
  bufferedBytes = 0;

  push(chunk: Buffer): FramerEvent[] {
    return [{ kind: 'frame', bytes: chunk }];
  }
}

class Hoarder extends ChunkFramer {
  override push(chunk: Buffer): FramerEvent[] {
    this.bufferedBytes += 100_000 * chunk.length;
    return [];
  }
}

test('finds nothing where there is nothing', () => {
  for (const way of ['frame', 'stream'] as const) expect(problemOf({}, way)).toBeNull();
  expect(problemOf(withValue('text'))).toBeNull();
});

test.each<readonly [what: string, changes: Partial<Protocol>, way: Way, problem: RegExp]>([
  ['a decoder that throws', { handle: () => { throw new RangeError('out of bounds'); } }, 'frame', /^threw RangeError: out of bounds/],
  ['a framer that depends on the chunks', { createFramer: () => new ChunkFramer() }, 'stream', /cut elsewhere/],
  ['a framer that keeps too much', { createFramer: () => new Hoarder() }, 'stream', /bytes buffered/],
  ['more bytes than came', withValue('x'.repeat(50_000)), 'frame', /bytes appended/],
])('finds %s', (_what, changes, way, problem) => {
  expect(problemOf(changes, way)).toMatch(problem);
});

test('finds a decoder that is slow for the length of its frames', () => {
  const handle: Protocol['handle'] = (session, frame, receivedAt) => {
    // Both clocks: the system may account for CPU time in steps that are longer than what was worked.
    const end = { wall: performance.now() + 3, user: process.threadCpuUsage().user + 3_000 };
    while (performance.now() < end.wall || process.threadCpuUsage().user < end.user);
    return teltonika.handle(session, frame, receivedAt);
  };
  expect(problemOf({ handle })).toMatch(/ms for \d+ bytes/);
});
