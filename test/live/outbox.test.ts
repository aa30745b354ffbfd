import { describe, expect, test } from 'vitest';
import { CHUNK_BYTES, Message } from '../../src/live/messages/frames.ts';
import type { Sink, Update } from '../../src/live/feed/outbox.ts';
import { Outbox } from '../../src/live/feed/outbox.ts';

const THRESHOLD = 1_000;

/** A viewer that takes a chunk when it is told to. */
function slowViewer() {
  const taken: string[] = [];
  let done: (() => void) | null = null;
  let waiting = '';
  let conflated = 0;
  let isFast = false;
  const pressure: boolean[] = [];
  const counted: boolean[] = [];
  const sink: Sink = {
    write: (chunk, onTaken) => {
      expect(done, 'one chunk at a time').toBeNull();
      if (isFast) {
        taken.push(chunk.toString());
        return true;
      }
      waiting = chunk.toString();
      done = onTaken;
      return false;
    },
    pressed: (isHigh) => { pressure.push(isHigh); },
  };
  const outbox = new Outbox('sse', sink, {
    thresholdBytes: THRESHOLD,
    cursor: () => new Message('cursor'),
    onConflated: (positions) => { conflated += positions; },
    onPressure: (isHigh) => { counted.push(isHigh); },
  });
  return {
    outbox,
    pressure,
    counted,
    conflated: () => conflated,
    isTaking: () => done !== null,
    /** From now on. */
    takeAtOnce: () => { isFast = true; },
    /** What was in the chunks so far: the data of each event. */
    messages: () => taken.flatMap((chunk) => [...chunk.matchAll(/data: (\S+)/g)].map(([, data]) => data!)),
    take(): void {
      taken.push(waiting);
      const onTaken = done;
      done = null;
      onTaken!();
    },
    takeAll(): void {
      while (done !== null) this.take();
    },
  };
}

function update(deviceId: string, n: number, topic = 't', bytes = 0): Update {
  return { message: new Message(`${topic}/${deviceId}/${n}${'.'.repeat(bytes)}`), topic, deviceId };
}

function deliver(outbox: Outbox, ...updates: readonly Update[]): void {
  outbox.deliver(updates, updates.flatMap(({ message }) => message.pieces('sse')));
  outbox.flush();
}

describe('an outbox', () => {
  test('of an event stream takes its ids back, once, and gives none from then on', () => {
    const { outbox } = slowViewer();
    expect(outbox.encoding).toBe('sse');
    outbox.forbidResume();
    outbox.forbidResume();
    expect([outbox.encoding, outbox.waitingBytes]).toEqual(['sse_without_ids', 'id:\n\n'.length]);
  });

  test('sends what is pushed in order, one chunk at a time', () => {
    const viewer = slowViewer();
    for (let n = 0; n < 5; n += 1) deliver(viewer.outbox, update('a', n));
    viewer.take();
    expect(viewer.messages()).toEqual(['t/a/0']);
    viewer.takeAll();
    expect(viewer.messages()).toEqual([0, 1, 2, 3, 4].map((n) => `t/a/${n}`));
    expect(viewer.outbox.waitingBytes).toBe(0);
  });

  test('keeps the newest position of each device on each topic above the threshold, then the cursor', () => {
    const viewer = slowViewer();
    deliver(viewer.outbox, update('a', 0, 't', THRESHOLD));
    expect(viewer.outbox.isConflating).toBe(true);
    for (let n = 1; n < 50; n += 1) deliver(viewer.outbox, update('a', n), update('b', n), update('a', n, 'u'));
    expect(viewer.conflated()).toBe(48 * 3);
    viewer.takeAll();
    expect(viewer.messages().slice(1)).toEqual(['t/a/49', 't/b/49', 'u/a/49', 'cursor']);
    expect(viewer.outbox.isConflating).toBe(false);
    expect([viewer.pressure, viewer.counted]).toEqual([[true, false], [true, false]]);
  });

  test('releases what is conflated up to the threshold at once, the one that has waited longest first', () => {
    const viewer = slowViewer();
    deliver(viewer.outbox, update('first', 0, 't', THRESHOLD));
    for (let n = 0; n < 10; n += 1) deliver(viewer.outbox, update(`device-${n}`, 0, 't', 400));
    deliver(viewer.outbox, update('device-0', 1, 't', 400));
    viewer.take();
    expect(viewer.outbox.isConflating).toBe(true);
    expect(viewer.outbox.waitingBytes).toBeLessThan(2 * THRESHOLD);
    viewer.takeAll();
    const devices = viewer.messages().map((message) => message.replace(/\.+$/, '')).slice(1, -1);
    expect(devices).toEqual([...Array.from({ length: 9 }, (_, n) => `t/device-${n + 1}/0`), 't/device-0/1']);
  });

  test('waits with no more than the threshold and one position a device, whatever is delivered', () => {
    const viewer = slowViewer();
    const devices = 50;
    const size = 500;
    for (let n = 0; n < 100_000; n += 1) deliver(viewer.outbox, update(`d${n % devices}`, n, 't', size));
    expect(viewer.outbox.waitingBytes).toBeLessThan(THRESHOLD + 2 * size);
    viewer.takeAll();
    expect(viewer.messages().length).toBeLessThan(devices + 10);
  });

  test('takes back what is conflated of a topic, or of a device on it', () => {
    const viewer = slowViewer();
    deliver(viewer.outbox, update('x', 0, 't', THRESHOLD));
    deliver(viewer.outbox, update('a', 1), update('b', 1), update('a', 1, 'u'), update('b', 1, 'u'));
    viewer.outbox.retract('t');
    viewer.outbox.retract('u', 'b');
    viewer.takeAll();
    expect(viewer.messages().slice(1)).toEqual(['u/a/1', 'cursor']);
  });

  test('hands over what waits when it is finished, and nothing after that', () => {
    const viewer = slowViewer();
    deliver(viewer.outbox, update('a', 0));
    deliver(viewer.outbox, update('a', 1), update('a', 2));
    viewer.take();
    viewer.outbox.push([Buffer.from('data: last\n\n')]);
    viewer.takeAll();
    viewer.outbox.push([Buffer.from('data: bye\n\n')]);
    viewer.outbox.finish();
    viewer.takeAll();
    deliver(viewer.outbox, update('a', 3));
    expect(viewer.isTaking()).toBe(false);
    expect(viewer.messages()).toEqual(['t/a/0', 't/a/1', 't/a/2', 'last', 'bye']);
  });

  test('goes on at once with a viewer that takes at once, and then nothing waits', () => {
    const taken: string[] = [];
    const never = (): void => { throw new Error('nothing has waited'); };
    const outbox = new Outbox('sse', { write: (chunk) => taken.push(chunk.toString()) > 0, pressed: never }, {
      thresholdBytes: THRESHOLD,
      cursor: () => new Message('cursor'),
      onConflated: never,
      onPressure: never,
    });
    const large = 'x'.repeat(3 * CHUNK_BYTES);
    outbox.push(new Message(large).pieces('sse'));
    outbox.flush();
    deliver(outbox, update('a', 1), update('b', 1));
    expect(taken.join('')).toBe(`data: ${large}\n\ndata: t/a/1\n\ndata: t/b/1\n\n`);
    expect([outbox.waitingBytes, outbox.stuckMs(performance.now() + 5_000)]).toEqual([0, 0]);
  });

  test('releases what is conflated to a viewer that takes at once again', () => {
    const viewer = slowViewer();
    deliver(viewer.outbox, update('a', 0, 't', THRESHOLD));
    deliver(viewer.outbox, update('a', 1), update('b', 1));
    viewer.takeAtOnce();
    viewer.take();
    deliver(viewer.outbox, update('a', 2));
    expect(viewer.messages().slice(1)).toEqual(['t/a/1', 't/b/1', 'cursor', 't/a/2']);
    expect([viewer.outbox.isConflating, viewer.outbox.waitingBytes]).toEqual([false, 0]);
    expect(viewer.pressure).toEqual([true, false]);
  });

  test('tells for how long nothing was taken', () => {
    const viewer = slowViewer();
    expect(viewer.outbox.stuckMs(performance.now() + 5_000)).toBe(0);
    deliver(viewer.outbox, update('a', 0));
    expect(viewer.outbox.stuckMs(performance.now() + 5_000)).toBeGreaterThanOrEqual(5_000);
    viewer.take();
    expect(viewer.outbox.stuckMs(performance.now() + 5_000)).toBe(0);
  });
});
