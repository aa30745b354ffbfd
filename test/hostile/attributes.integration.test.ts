/**
 * Names and values that are made to do harm, from the wire to the row: each is stored as it was sent, or its frame is a
 * dead letter of its own; the records beside it are stored, and the processor meets nothing that PostgreSQL refuses.
 */
import { expect, test } from 'vitest';
import { encodeLogin as encodeGt06Login, encodeHeartbeat } from '../../src/protocols/gt06/encode.ts';
import { buildFrame } from '../../src/protocols/gt06/frame.ts';
import { encodeAvlFrame, encodeCommandResponse } from '../../src/protocols/teltonika/encode.ts';
import { parseAttributes } from '../../src/shared/attributes.ts';
import type { AttributeValue } from '../../src/shared/model.ts';
import { allStored, deadLetters, metric, openSite, startCore } from '../core/support.ts';
import type { RunningCore, Site } from '../core/support.ts';
import type { TestIngest } from '../ingest/support.ts';
import { startIngest } from '../ingest/support.ts';
import { connectTracker, loggedIn, newImei, recordsFrom } from '../ingest/tracker.ts';

/** Heartbeats carry no time: two of the same content and millisecond would be one record. */
const heartbeat = (n: number): Buffer => encodeHeartbeat(
  { ignition: true, charge: false, armed: false, blocked: false, voltageLevel: n % 7, signal: n % 5 }, n,
);

/** The attributes of a device's records that have one of this name, in the order of their times. */
async function storedWith({ pool }: Site, imei: string, name: string): Promise<ReadonlyMap<string, AttributeValue>[]> {
  const { rows } = await pool.query<{ json: string }>(
    `select attributes::text as json from positions p join devices d on d.id = p.device_id
     where d.unique_id = $1 and attributes ? $2 order by ts`, [imei, name]);
  return rows.map(({ json }) => parseAttributes(json));
}

interface Started {
  readonly site: Site;
  readonly ingest: TestIngest;
  readonly core: RunningCore;
}

async function start(): Promise<Started> {
  const site = await openSite();
  const core = await startCore(site);
  const ingest = await startIngest(site.redisUrl, { STREAM_PARTITIONS: '2', INGEST_LISTENERS: 'teltonika:0,gt06:0' });
  return { site, ingest, core };
}

const settings = (text: string): Buffer => Buffer.concat([Buffer.from([4]), Buffer.from(text, 'latin1')]);
const utf16 = (hex: string): Buffer => Buffer.from(`0000000102${hex}`, 'hex');
const fuel = (digits: string): Buffer =>
  Buffer.concat([Buffer.from([0x0d]), Buffer.from(`!AIOIL,1,1.1,${digits}.0,x,0000,1.1,0,1,ff`)]);

/** Packets 21 and 94 of a GT06 device, with the attribute that comes of each; null: its frame becomes a dead letter. */
const PACKETS: readonly (readonly [type: number, content: Buffer, name: string, value: AttributeValue | null])[] = [
  [0x94, settings('__proto__=1;a=2'), 'setting__proto__', '1'],
  [0x94, settings('constructor=ff;ALM1=ff'), 'settingconstructor', 'ff'],
  [0x94, settings('=;==;a"b\\c=\x01\x7f\xff'), 'settinga"b\\c', '\x01\x7f\xff'],
  [0x94, settings('A\0=b\0c'), 'data', Buffer.from('A\0=b\0c')],
  [0x21, utf16('d83d'), 'result', Buffer.from('d83d', 'hex')],
  [0x21, utf16('d83dde9a'), 'result', '\u{1f69a}'],
  [0x21, utf16('004100000042'), 'result', Buffer.from('004100000042', 'hex')],
  [0x94, fuel('9'.repeat(308)), 'temp1', Number('9'.repeat(308))],
  [0x94, fuel('9'.repeat(400)), 'temp1', null],
];

test('of a text protocol: stored as they were sent, or a dead letter, and the neighbours are stored', async () => {
  const { site, ingest, core } = await start();
  const imei = newImei();
  const tracker = await connectTracker(ingest.port('tcp', 'gt06'));
  tracker.send(encodeGt06Login({ imei }, 0));
  for (const [serial, [type, content]] of PACKETS.entries()) {
    tracker.send(buildFrame(type, content, serial, true), heartbeat(serial));
  }
  // The login and every heartbeat are answered; packets 21 and 94 are not.
  await tracker.read(10 * (1 + PACKETS.length));
  const expected = PACKETS.filter(([, , , value]) => value !== null);
  const heartbeats = PACKETS.length;
  await allStored(site, expected.length + heartbeats);
  for (const [, , name, value] of expected) {
    const values = (await storedWith(site, imei, name)).map((attributes) => attributes.get(name));
    expect(values).toContainEqual(value);
  }
  const letter = { reason: 'bad_field', field: 'records[0].attributes.temp1', deviceId: imei };
  expect(await deadLetters(site.redis)).toMatchObject([letter]);
  expect(await metric(core.registry, 'processor_position_writes_total', { status: 'failed' })).toBe(0);
  expect(await metric(core.registry, 'odograph_core_write_retries_total')).toBe(0);
});

test('of Teltonika: bytes that are no UTF-8, NULs, and records as large as a frame', async () => {
  const { site, ingest, core } = await start();
  const imei = newImei();
  const tracker = await loggedIn(ingest.port(), imei);
  const texts = [Buffer.from('a\0b'), Buffer.from('c328', 'hex'), Buffer.from('eda080', 'hex'), Buffer.from('__proto__')];
  for (const text of texts) tracker.send(encodeCommandResponse(text));
  const many = Array.from({ length: 16_000 }, () => [60_000, 0, Buffer.alloc(0)] as const);
  const large = [60_001, 65_000, Buffer.alloc(65_000, 0xff)] as const;
  for (const [n, io] of [many, [large]].entries()) {
    tracker.send(encodeAvlFrame(recordsFrom(1_690_000_000_000 + n, 1, { io }), '8E'));
    expect(await tracker.acknowledgement()).toBe(1);
  }
  await allStored(site, texts.length + 2);
  const results = (await storedWith(site, imei, 'result')).map((attributes) => attributes.get('result'));
  expect(results).toHaveLength(texts.length);
  for (const value of [...texts.slice(0, 3), '__proto__']) expect(results).toContainEqual(value);
  const [most] = await storedWith(site, imei, 'io60000');
  expect(most?.size).toBe(16_000);
  const [largest] = await storedWith(site, imei, 'io60001');
  expect(largest?.get('io60001')).toEqual(large[2]);
  expect(await deadLetters(site.redis)).toEqual([]);
  expect(await metric(core.registry, 'odograph_core_write_retries_total')).toBe(0);
});
