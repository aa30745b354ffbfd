/** Dead letters as ingest leaves them, decoders that are older than ours, and the tool as a process. */
import { spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { expect } from 'vitest';
import type { FrameEntries } from '../../src/ingest/entries.ts';
import { Intake } from '../../src/ingest/intake.ts';
import { PoisonFrames } from '../../src/ingest/poison-frames.ts';
import type { Accepted, Handled, Session } from '../../src/protocols/protocol.ts';
import { teltonika } from '../../src/protocols/teltonika/index.ts';
import type { DeadLetter } from '../../src/shared/contracts/dead-letter-stream.ts';
import { DEAD_LETTER_STREAM, encodeDeadLetter } from '../../src/shared/contracts/dead-letter-stream.ts';
import { PROCESSOR_GROUP, telemetryStreams } from '../../src/shared/contracts/telemetry-stream.ts';
import type { TelemetryRecord } from '../../src/shared/model.ts';
import type { Redis } from '../../src/shared/redis.ts';

const MAIN = fileURLToPath(new URL('../../src/dead-letters/main.ts', import.meta.url));

/** As the processors of `test/core/support.ts` have it. */
export const PARTITIONS = 2;

export const IMEI = '356307042441013';

export interface Outcome {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** Records of tests have times of their own, which grow old. */
const ANY_AGE_MS = 36_500 * 86_400_000;

/** Runs the tool with these settings and nothing else of the environment but where programs are. */
export async function dlq(
  redisUrl: string, args: readonly string[], settings: Readonly<Record<string, string>> = {},
): Promise<Outcome> {
  const own = { STREAM_PARTITIONS: String(PARTITIONS), };
  const env = { PATH: process.env.PATH, REDIS_URL: redisUrl, ...own, ...settings };
  const child = spawn(process.execPath, [MAIN, ...args], { env, stdio: ['ignore', 'pipe', 'pipe'] });
  const { promise, resolve } = Promise.withResolvers<number | null>();
  child.on('close', resolve);
  let [stdout, stderr] = ['', ''];
  child.stdout.on('data', (bytes: Buffer) => { stdout += bytes.toString(); });
  child.stderr.on('data', (bytes: Buffer) => { stderr += bytes.toString(); });
  return { code: await promise, stdout, stderr };
}

/** A run that prints a report as JSON. */
export async function dlqReport(
  redisUrl: string, args: readonly string[], settings: Readonly<Record<string, string>> = {},
): Promise<Record<string, unknown> & { readonly code: number | null }> {
  const { code, stdout, stderr } = await dlq(redisUrl, [...args, '--json'], settings);
  if (stdout === '') expect.fail(stderr);
  return { ...(JSON.parse(stdout) as Record<string, unknown>), code };
}

export function letter(changes: Partial<DeadLetter> = {}): DeadLetter {
  return {
    reason: 'bad_field', message: 'no such latitude', field: 'records[0].latitude', deviceId: IMEI,
    protocol: 'teltonika', at: 1_700_000_000_000, raw: null, session: null, payload: null, origin: null, ...changes,
  };
}

export function record(ts: number, changes: Partial<TelemetryRecord> = {}): TelemetryRecord {
  return {
    ts, latitude: 52.5, longitude: 13.4, altitude: 34, course: 90, speed: 50, satellites: 9, hdop: 0.9, valid: true,
    priority: 0, eventId: 0, attributes: new Map(), ...changes,
  };
}

/** Writes letters. @param ids of the entries; by default those that Redis gives */
export async function writeLetters(
  redis: Redis, letters: readonly DeadLetter[], ids: readonly string[] = [],
): Promise<string[]> {
  const written: string[] = [];
  for (const [index, one] of letters.entries()) {
    written.push(String(await redis.call('XADD', DEAD_LETTER_STREAM, ids[index] ?? '*', ...encodeDeadLetter(one))));
  }
  return written;
}

export async function letterIds(redis: Redis): Promise<string[]> {
  return (await redis.xrange(DEAD_LETTER_STREAM, '-', '+')).map(([id]) => id);
}

/** What core makes when it starts, for tests without one. */
export async function createGroups(redis: Redis): Promise<void> {
  for (const stream of telemetryStreams(PARTITIONS)) await redis.xgroup('CREATE', stream, PROCESSOR_GROUP, '0', 'MKSTREAM');
}

/** Entries of the telemetry streams, over all. */
export async function countEntries(redis: Redis): Promise<number> {
  const lengths = await Promise.all(telemetryStreams(PARTITIONS).map((stream) => redis.xlen(stream)));
  return lengths.reduce((sum, length) => sum + length, 0);
}

/** What ingest makes of a frame that a decoder, ours or another, has read so. */
export function takeIn(
  frame: Buffer, session: Session | null, handle: (receivedAt: number) => Handled, protocol = 'teltonika',
): FrameEntries {
  const settings = { STREAM_PARTITIONS: PARTITIONS, MAX_PAST_MS: ANY_AGE_MS, MAX_FUTURE_MS: 86_400_000 };
  const intake = new Intake({ settings, poison: new PoisonFrames(1), events: { decoderThrew: () => undefined } });
  const peer = { protocol, address: '192.0.2.1', deviceId: session?.deviceId ?? null };
  const taken = intake.take(peer, session, frame, handle);
  if (taken.kind !== 'taken') expect.fail(`refused: ${taken.code}`);
  return taken.entries;
}

/** Appends what ingest would. */
export async function publish(redis: Redis, { appends }: FrameEntries): Promise<void> {
  for (const { stream, fields } of appends) await redis.call('XADD', stream, '*', ...fields);
}

/** A decoder from before the attribute was known, which took a record with it for damaged. */
export function olderDecoder(attribute: string): (session: Session, frame: Buffer, receivedAt: number) => Handled {
  return (session, frame, receivedAt) => {
    const handled = teltonika.handle(session, frame, receivedAt);
    if (handled.kind === 'refused') return handled;
    return withoutRecordsOf(handled, attribute, frame);
  };
}

function withoutRecordsOf(handled: Accepted, attribute: string, frame: Buffer): Accepted {
  const faults = [...handled.records.entries()].filter(([, { attributes }]) => attributes.has(attribute));
  return {
    ...handled,
    records: handled.records.filter(({ attributes }) => !attributes.has(attribute)),
    rejected: faults.map(([index]) => ({
      code: 'bad_field', field: `records[${index}].${attribute}`, message: 'a value that it cannot have', raw: frame,
    })),
  };
}
