/** `npm run import` against a real API: what it brings, what it reports, and how it goes on. */
import { existsSync } from 'node:fs';
import { open, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import type { Redis } from 'ioredis';
import { beforeEach, describe, expect, it } from 'vitest';
import { freePort } from '../../src/embedded/port.ts';
import { writeRuntime } from '../../src/shared/runtime-file.ts';
import { createRedis } from '../support/redis.ts';
import { eventually } from '../support/eventually.ts';
import { lookInto, recordsOf } from '../ingest/support.ts';
import { newDevice, startWriteApi } from '../ingest/http/support.ts';
import { csvFor, fileWith, reportOf, runImport, startImport, tempFolder } from './support.ts';

let redisUrl: string;
let redis: Redis;

beforeEach(async () => {
  ({ url: redisUrl } = await createRedis());
  redis = lookInto(redisUrl);
});

async function distinct(deviceId: string): Promise<number> {
  return new Set((await recordsOf(redis, deviceId)).map(({ ts }) => ts)).size;
}

async function api(settings: Readonly<Record<string, string>> = {}) {
  const { port, ingest } = await startWriteApi(redisUrl, settings);
  const url = `http://127.0.0.1:${port}`;
  return { ingest, port, to: ['--url', url, '--key', 'writer', '--json'] as const, url };
}

describe('an import', () => {
  it('brings every record of a file once, and leaves no state behind', async () => {
    const { to } = await api();
    const deviceId = newDevice();
    const file = await fileWith('trip.csv', csvFor(deviceId, 5_000));
    const run = await runImport([file, ...to]);
    expect(reportOf(run)).toMatchObject({ accepted: 5_000, rejected: 0, dryRun: false });
    expect(run.code).toBe(0);
    const records = await recordsOf(redis, deviceId);
    expect(records).toHaveLength(5_000);
    expect(new Set(records.map(({ attributes }) => attributes.get('odometer'))).size).toBe(5_000);
    expect(existsSync(`${file}.import-state.json`)).toBe(false);
  });

  it('twice is once: what was sent before is answered from its Idempotency-Keys', async () => {
    const { to, ingest } = await api();
    const deviceId = newDevice();
    const file = await fileWith('trip.csv.gz', gzipSync(csvFor(deviceId, 3_000)));
    for (let run = 0; run < 2; run += 1) {
      expect(reportOf(await runImport([file, ...to]))).toMatchObject({ accepted: 3_000 });
    }
    expect(await recordsOf(redis, deviceId)).toHaveLength(3_000);
    expect(await ingest.metric('odograph_http_idempotency_keys_total', { result: 'replayed' })).toBe(3);
  });

  it('counts what is rejected by reason, and writes it down with where it stood', async () => {
    const { to } = await api();
    const [own, other] = [newDevice('own'), newDevice()];
    const now = Date.now();
    const lines = [
      { deviceId: own, ts: now }, '{broken', { deviceId: other, ts: now }, { deviceId: own, ts: now, latitude: 99, longitude: 1 },
      { deviceId: own, ts: now + 3_600_000 }, { deviceId: own, ts: 'never' },
    ];
    const file = await fileWith('mixed.ndjson', lines.map((line) => (typeof line === 'string' ? line : JSON.stringify(line))).join('\n'));
    const rejects = join(await tempFolder(), 'rejects.ndjson');
    const run = await runImport([file, ...to.map((one) => (one === 'writer' ? 'own' : one)), '--rejects', rejects]);
    expect(run.code).toBe(1);
    const reasons = { bad_field: 3, forbidden: 1, clock_ahead: 1 };
    expect(reportOf(run)).toMatchObject({ accepted: 1, rejected: 5, reasons });
    const written = (await readFile(rejects, 'utf8')).trim().split('\n').map((line) => JSON.parse(line) as Record<string, unknown>);
    expect(written.map(({ at, reason }) => [at, reason]).toSorted()).toEqual([[2, 'bad_field'], [3, 'forbidden'], [4, 'bad_field'], [5, 'clock_ahead'], [6, 'bad_field']]);
    expect(written.find(({ at }) => at === 2)).toMatchObject({ text: '{broken' });
    expect(written.find(({ at }) => at === 4)).toMatchObject({ field: 'latitude', record: { latitude: 99 } });
  });

  it('that is interrupted says how to go on, and goes on from there', async () => {
    const { to } = await api();
    const deviceId = newDevice();
    const file = await fileWith('long.csv', csvFor(deviceId, 60_000));
    const args = [file, ...to, '--batch', '100', '--in-flight', '2'];
    const running = startImport(args);
    await eventually(async () => (await redis.xlen('telemetry:{0}')) + (await redis.xlen('telemetry:{1}')) + (await redis.xlen('telemetry:{2}')) + (await redis.xlen('telemetry:{3}')) > 20);
    running.child.kill('SIGINT');
    const first = await running.ended;
    expect(first.code).toBe(130);
    expect(first.stderr).toContain(`to go on: npm run import -- ${file} `);
    expect(first.stderr).toContain('--resume');
    const { accepted } = reportOf(first);
    expect(accepted).toBeLessThan(60_000);
    expect(await distinct(deviceId)).toBe(accepted);
    const second = await runImport([...args, '--resume']);
    expect(reportOf(second)).toMatchObject({ accepted: 60_000, rejected: 0, resumedFrom: accepted });
    expect(await recordsOf(redis, deviceId)).toHaveLength(60_000);
  });

  it('that was killed goes on from what the server had acknowledged, and nothing is missing', async () => {
    const { to } = await api();
    const deviceId = newDevice();
    const file = await fileWith('long.csv', csvFor(deviceId, 40_000));
    const running = startImport([file, ...to, '--batch', '20']);
    await eventually(() => existsSync(`${file}.import-state.json`));
    running.child.kill('SIGKILL');
    await running.ended;
    const { items } = JSON.parse(await readFile(`${file}.import-state.json`, 'utf8')) as { items: number };
    const second = await runImport([file, ...to, '--resume']);
    expect(reportOf(second)).toMatchObject({ resumedFrom: items });
    expect(await distinct(deviceId)).toBe(40_000);
  });

  it('does not go on with a file that has changed', async () => {
    const { to } = await api();
    const file = await fileWith('a.csv', csvFor(newDevice(), 10));
    await writeFile(`${file}.import-state.json`, JSON.stringify({ file, bytes: 1, modifiedMs: 1, items: 5, report: { accepted: 5, rejected: 0, reasons: {} } }));
    const run = await runImport([file, ...to, '--resume']);
    expect(run.stderr).toContain('from its beginning');
    expect(reportOf(run)).toMatchObject({ accepted: 10, resumedFrom: 0 });
  });

  it('waits for a server that is away, and gives up in the end', async () => {
    const port = await freePort();
    const deviceId = newDevice();
    const file = await fileWith('a.csv', csvFor(deviceId, 10));
    const to = ['--url', `http://127.0.0.1:${port}`, '--key', 'writer', '--json'];
    const given = await runImport([file, ...to, '--give-up-after', '1s']);
    expect(given.code).toBe(3);
    expect(given.stderr).toContain('cannot reach');
    expect(given.stderr).toContain('to go on:');
    const running = startImport([file, ...to]);
    await eventually(() => running.stderr().includes('waiting: cannot reach'));
    await startWriteApi(redisUrl, { API_PORT: String(port) });
    expect(reportOf(await running.ended)).toMatchObject({ accepted: 10 });
    expect(await distinct(deviceId)).toBe(10);
  });

  it('sends again what was not let in yet', async () => {
    const { to } = await api({ INGEST_NEW_DEVICES_PER_MINUTE: '6' });
    const text = Array.from({ length: 61 }, () => JSON.stringify({ deviceId: newDevice(), ts: Date.now() })).join('\n');
    const running = startImport([await fileWith('devices.ndjson', text), ...to]);
    await eventually(() => running.stderr().includes('waiting: 1 records are not let in yet'));
    expect(reportOf(await running.ended)).toMatchObject({ accepted: 61, rejected: 0 });
  });

  it('takes history older than a year with a key that has the scope admin', async () => {
    const { to } = await api();
    const deviceId = newDevice();
    const file = await fileWith('old.csv', csvFor(deviceId, 10, Date.parse('2015-06-01T00:00:00Z')));
    expect(reportOf(await runImport([file, ...to]))).toMatchObject({ accepted: 0, reasons: { clock_behind: 10 } });
    const admin = to.map((one) => (one === 'writer' ? 'admin' : one));
    expect(reportOf(await runImport([file, ...admin]))).toMatchObject({ accepted: 10 });
  });

  it('finds the Odograph that runs here, and its key', async () => {
    const { url } = await api();
    const dataDir = await tempFolder();
    await writeRuntime(dataDir, { pid: process.pid, redisUrl, postgresUrl: '', metricsUrl: '', liveUrl: null, apiUrl: url, listeners: [] });
    await writeFile(join(dataDir, 'auth-token'), 'admin\n');
    const deviceId = newDevice();
    const run = await runImport([await fileWith('a.csv', csvFor(deviceId, 10)), '--json'], { ODOGRAPH_DATA_DIR: dataDir });
    expect(reportOf(run)).toMatchObject({ accepted: 10 });
  });

  it('is told at once that its key is no good', async () => {
    const { url } = await api();
    const run = await runImport([await fileWith('a.csv', csvFor(newDevice(), 10)), '--url', url, '--key', 'reader']);
    expect(run.code).toBe(3);
    expect(run.stderr).toContain('403 forbidden');
  });

  it("brings Traccar's positions under the identifiers of its devices", async () => {
    const { to } = await api();
    const deviceId = newDevice();
    const devices = await fileWith('devices.json', JSON.stringify([{ id: 7, name: 'Van', uniqueId: deviceId, status: 'online' }]));
    const time = new Date(Date.now() - 60_000).toISOString();
    const positions = [{ id: 1, deviceId: 7, protocol: 'gt06', serverTime: time, deviceTime: time, fixTime: time, valid: true, latitude: 1, longitude: 2, altitude: 3, speed: 10, course: 4, accuracy: 0, attributes: { ignition: true } }];
    const file = await fileWith('positions.json', JSON.stringify(positions));
    expect(reportOf(await runImport([file, ...to, '--devices', devices]))).toMatchObject({ accepted: 1 });
    expect(await recordsOf(redis, deviceId)).toMatchObject([{ speed: 18.52, latitude: 1, attributes: new Map([['ignition', true]]) }]);
  });
});

describe('a dry run', () => {
  it('says what could be imported, and needs no server', async () => {
    const file = await fileWith('a.csv', `${csvFor('a', 10)}b,2026-11-25T12:00:00Z,95,0,0,0\n`);
    const run = await runImport([file, '--dry-run']);
    expect(run.code).toBe(1);
    expect(run.stdout).toBe(`${file}: 10 records could be imported, 1 rejected\n  bad_field: 1\n`);
  });

  it('reads a file of any size with little memory', async () => {
    const file = await fileWith('large.ndjson', '');
    const handle = await open(file, 'w');
    const part = Array.from({ length: 2_000 }, (_, n) => `${JSON.stringify({ deviceId: 'a', ts: 1_700_000_000_000 + n, attributes: { text: 'x'.repeat(400) } })}\n`).join('');
    for (let written = 0; written < 150_000_000; written += part.length) await handle.write(part);
    await handle.close();
    const run = await runImport([file, '--dry-run', '--json'], {}, ['--max-old-space-size=48']);
    expect(reportOf(run)).toMatchObject({ rejected: 0 });
    expect(run.code).toBe(0);
  }, 120_000);
});

describe('the command line', () => {
  it('tells every problem at once', async () => {
    const run = await runImport(['x.csv', '--map', 'a=nothing', '--timezone', 'Mars', '--batch', '0', '--format', 'xls']);
    expect(run.code).toBe(2);
    expect(run.stderr.trim().split('\n')).toHaveLength(4);
  });

  it('says what is missing', async () => {
    expect((await runImport([])).code).toBe(2);
    const noFormat = await runImport([await fileWith('a', 'hello'), '--dry-run']);
    expect([noFormat.code, noFormat.stderr]).toEqual([2, expect.stringContaining('say --format')]);
    const noServer = await runImport([await fileWith('a.csv', '')]);
    expect([noServer.code, noServer.stderr]).toEqual([2, expect.stringContaining('--url: expected the URL of the API')]);
    expect((await runImport(['/nowhere/x.csv', '--dry-run'])).code).toBe(2);
  });
});
