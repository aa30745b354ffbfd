import { describe, expect, it, vi } from 'vitest';
import { Intake } from '../../src/ingest/intake.ts';
import { PoisonFrames } from '../../src/ingest/poison-frames.ts';
import type { Accepted, Handled, Refused } from '../../src/protocols/protocol.ts';
import { decodeDeadLetter } from '../../src/shared/contracts/dead-letter-stream.ts';

const PEER = { protocol: 'teltonika', address: '192.0.2.1', deviceId: 'A' };
const SESSION = { deviceId: 'A' };
const FRAME = Buffer.from('c0ffee', 'hex');
const REPLY = Buffer.from([1]);

const accepted: Accepted = { kind: 'accepted', session: SESSION, records: [], rejected: [], reply: REPLY, denial: null };
const refused: Refused = {
  kind: 'refused', session: SESSION, code: 'count_mismatch', field: 'numberOfData2', message: 'differ', close: false, replyWhenDeadLettered: REPLY,
};

function createIntake(attempts = 3) {
  const decoderThrew = vi.fn();
  const settings = { STREAM_PARTITIONS: 4, MAX_PAST_MS: 86_400_000, MAX_FUTURE_MS: 1_000 };
  const intake = new Intake({ settings, poison: new PoisonFrames(attempts), events: { decoderThrew } });
  const take = (handle: () => Handled) => intake.take(PEER, SESSION, FRAME, handle);
  return { take, decoderThrew };
}

describe('an accepted frame', () => {
  it('is taken with its reply and its session', () => {
    const { take } = createIntake();
    const named = { ...accepted, session: { deviceId: 'B' }, denial: Buffer.from([0]) };
    expect(take(() => named)).toMatchObject({ kind: 'taken', session: { deviceId: 'B' }, reply: REPLY, denial: Buffer.from([0]) });
  });
});

describe('a refused frame', () => {
  it('is taken as a dead letter when it comes the third time, with the reply that ends it', () => {
    const { take } = createIntake(3);
    expect(take(() => refused)).toBe(refused);
    expect(take(() => refused)).toBe(refused);
    expect(take(() => refused)).toMatchObject({ kind: 'taken', reply: REPLY, entries: { deadLetters: [{ reason: 'count_mismatch' }] } });
  });

  it('that has no such reply, as one with a wrong checksum, is refused for ever', () => {
    const { take } = createIntake(1);
    const damaged: Refused = { ...refused, code: 'checksum_mismatch', replyWhenDeadLettered: null };
    for (let time = 0; time < 5; time += 1) expect(take(() => damaged)).toBe(damaged);
  });
});

describe('a decoder that throws', () => {
  const cases: readonly (readonly [what: string, handle: () => Handled])[] = [
    ['on the frame', () => { throw new TypeError('no such field'); }],
    ['later, on records of nobody', () => ({
      ...accepted,
      session: { deviceId: null },
      records: [{
        ts: Date.now(), latitude: null, longitude: null, altitude: null, course: null, speed: null, satellites: null,
        hdop: null, valid: false, priority: 0, eventId: 0, attributes: new Map(),
      }],
    })],
  ];

  it.each(cases)('%s leaves the frame as a dead letter, unanswered, and the session as it was', (_what, handle) => {
    const { take, decoderThrew } = createIntake();
    const result = take(handle);
    expect(result).toMatchObject({ kind: 'taken', session: SESSION, reply: null, entries: { deadLetters: [{ reason: 'internal_error' }] } });
    const [append] = (result as Extract<typeof result, { kind: 'taken' }>).entries.appends;
    expect(decodeDeadLetter(append!.fields.map((field) => Buffer.from(field)))).toMatchObject({ raw: FRAME, deviceId: 'A' });
    expect(decoderThrew).toHaveBeenCalledOnce();
  });
});
