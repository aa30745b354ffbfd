/** Bodies that nobody should send: no 5xx, and memory that stays bounded. */
import { createGzip, gzipSync } from 'node:zlib';
import { Readable } from 'node:stream';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { eventually } from '../../support/eventually.ts';
import { createRedis } from '../../support/redis.ts';
import { entriesIn, lookInto } from '../support.ts';
import { startOdograph } from '../../system/support.ts';
import { NDJSON, newDevice, recordsFor, startWriteApi } from './support.ts';

const MIB = 1024 * 1024;

const record = () => fc.record({
  deviceId: fc.oneof(fc.constantFrom('fuzzed', '', '../x'), fc.string(), fc.jsonValue()),
  ts: fc.oneof(fc.constant(Date.now()), fc.constantFrom('2026-11-25T12:00:00Z', -1e21, -1), fc.jsonValue()),
  latitude: fc.oneof(fc.double(), fc.jsonValue()), longitude: fc.oneof(fc.double(), fc.jsonValue()),
  attributes: fc.oneof(fc.dictionary(fc.string({ unit: 'binary' }), fc.jsonValue({ maxDepth: 3 })), fc.jsonValue()),
}, { requiredKeys: [] });

const nested = fc.constantFrom('[', '{"a":', '[{"deviceId":"a","ts":1,"latitude":').map((part) => part.repeat(100_000));
const closed = fc.integer({ min: 1, max: 20_000 }).map((depth) => (
  `[{"deviceId":"fuzzed","ts":${Date.now()},"attributes":{"a":${'['.repeat(depth)}${']'.repeat(depth)}},"latitude":${'['.repeat(depth)}${']'.repeat(depth)}}]`));
const text = fc.oneof(
  fc.array(record()).map((records) => JSON.stringify(records)),
  fc.array(record()).map((records) => records.map((one) => JSON.stringify(one)).join('\n')),
  fc.json(), fc.string({ unit: 'binary' }), nested, closed,
);
const octets = fc.uint8Array({ maxLength: 2_000 });
const bytes = fc.oneof(text.map((given) => Buffer.from(given)), octets.map((given) => Buffer.from(given)));
const cut = fc.tuple(bytes, fc.nat()).map(([given, at]) => given.subarray(0, at % (given.length + 1)));
const headers = fc.record({
  'content-type': fc.constantFrom('application/json', 'application/x-ndjson', 'application/json; charset=utf-16', 'text/plain', 'application/jsonl'),
  'content-encoding': fc.constantFrom('gzip', 'br', 'deflate', 'identity', 'gzip, gzip', '__proto__'),
  'idempotency-key': fc.constantFrom('a', 'b', 'c'),
  prefer: fc.constantFrom('handling=strict', 'handling=lenient', 'x'),
}, { requiredKeys: [] });

describe('any body with any headers', () => {
  it('is answered with a report or a problem, and never with 5xx', async () => {
    const { url } = await createRedis();
    const { post } = await startWriteApi(url, { INGEST_HTTP_REQUESTS_PER_MINUTE: '0', INGEST_NEW_DEVICES_PER_MINUTE: '0' });
    const statuses = new Map<number, number>();
    const bodies = fc.oneof(bytes, cut, bytes.map((given) => gzipSync(given)));
    // Chance makes few that are let in, and sometimes none.
    const sound: [Buffer, object] = [Buffer.from(JSON.stringify(recordsFor('fuzzed', 1))), { 'content-type': 'application/json' }];
    await fc.assert(fc.asyncProperty(bodies, headers, async (body, given) => {
      const answer = await post(body, { headers: given });
      statuses.set(answer.status, (statuses.get(answer.status) ?? 0) + 1);
      expect([202, 400, 409, 413, 415, 422], answer.text).toContain(answer.status);
      const { accepted, errors, code, requestId } = answer.body;
      if (answer.status === 202) expect([typeof accepted, Array.isArray(errors)]).toEqual(['number', true]);
      else expect([typeof code, typeof requestId]).toEqual(['string', 'string']);
    }), { numRuns: 1_500, examples: [sound] });
    for (const status of [202, 400, 415, 422]) expect(statuses.get(status) ?? 0, String(status)).toBeGreaterThan(0);
    // What was let in can be read back.
    for (const entry of await entriesIn(lookInto(url))) expect(entry.records.every(({ ok }) => ok)).toBe(true);
  }, 120_000);
});

/** Lines of full records, made while they are read. */
function* generatedLines(deviceId: string, bytesInAll: number): Generator<Buffer, void, undefined> {
  const attributes = Object.fromEntries(Array.from({ length: 20 }, (_, n) => [`measurement${n}`, n * 1.5]));
  const [one] = recordsFor(deviceId, 1, { attributes });
  const line = Buffer.from(`${JSON.stringify(one)}\n`);
  const part = Buffer.concat(Array.from({ length: Math.ceil((256 * 1024) / line.length) }, () => line));
  for (let sent = 0; sent < bytesInAll; sent += part.length) yield part;
}

const TOKEN = 'token-of-the-administrator';

describe('a long stream', () => {
  it.each(['as it is', 'compressed'])('of 200 MB, %s, is taken with bounded memory', async (form) => {
    const { url } = await createRedis();
    const redis = lookInto(url);
    const odograph = await startOdograph({ REDIS_URL: url, ROLES: 'ingest', AUTH_TOKEN: TOKEN, LOG_LEVEL: 'info' });
    await odograph.ready();
    const port = await eventually(() => {
      const listening = odograph.lines.find(({ msg }) => msg === 'listening for requests');
      expect(listening).toBeDefined();
      return listening?.port;
    });
    const resident = async (): Promise<number> => Number(/^process_resident_memory_bytes (\d+)/m.exec(await odograph.metrics())?.[1]);
    const deviceId = newDevice();
    const send = async (bytes: number): Promise<number> => {
      const source = Readable.from(generatedLines(deviceId, bytes));
      const body = form === 'compressed' ? source.pipe(createGzip({ level: 1 })) : source;
      const encoding = form === 'compressed' ? { 'content-encoding': 'gzip' } : {};
      const answer = await fetch(`http://127.0.0.1:${port}/v1/records`, {
        method: 'POST', body: Readable.toWeb(body), duplex: 'half',
        headers: { authorization: `Bearer ${TOKEN}`, ...NDJSON, ...encoding },
      });
      expect(answer.status).toBe(202);
      return ((await answer.json()) as { accepted: number }).accepted;
    };
    /** Sends that much, and gives the most memory that the process had meanwhile. */
    const mostWhileSending = async (bytes: number): Promise<number> => {
      let most = 0;
      let isSending = true;
      const watch = async (): Promise<void> => {
        while (isSending) {
          most = Math.max(most, await resident());
          // Redis need not hold all of it.
          for (const partition of [0, 1]) await redis.xtrim(`telemetry:{${partition}}`, 'MAXLEN', 0);
        }
      };
      const sending = send(bytes).finally(() => { isSending = false; });
      await Promise.all([sending, watch()]);
      expect(await sending).toBeGreaterThan(bytes / 700);
      return most;
    };
    // What a shorter stream takes is what a longer one takes too: the collector of garbage is in no hurry.
    const shorter = await mostWhileSending(100 * MIB);
    expect(await mostWhileSending(200 * MIB)).toBeLessThan(shorter + 80 * MIB);
  }, 120_000);
});
