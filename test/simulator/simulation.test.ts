import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import { FAULT_KINDS } from '../../src/simulator/faults.ts';
import type { Options } from '../../src/simulator/options.ts';
import { readOptions } from '../../src/simulator/options.ts';
import type { RawOptions } from '../../src/shared/option-reader.ts';
import type { Report } from '../../src/simulator/report.ts';
import { simulate } from '../../src/simulator/simulation.ts';
import type { Sink, SinkOptions } from './sink.ts';
import { startSink } from './sink.ts';
import { eventually } from '../support/eventually.ts';

let sink: Sink | undefined;

afterEach(async () => {
  await sink?.stop();
  sink = undefined;
});

interface Outcome {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

function optionsFor(port: number, raw: RawOptions): Options {
  return readOptions({ host: '127.0.0.1', port: String(port), drain: '5s', ...raw }, null);
}

async function run(raw: RawOptions, sinkOptions: SinkOptions = {}, signal?: AbortSignal): Promise<Outcome> {
  sink = await startSink(sinkOptions);
  return runAgainst(sink.port, raw, signal);
}

async function runAgainst(
  port: number, raw: RawOptions, signal: AbortSignal = new AbortController().signal,
): Promise<Outcome> {
  const written = { stdout: '', stderr: '' };
  const options = optionsFor(port, raw);
  const code = await simulate(options, () => options, signal, {
    stdout: { write: (text) => { written.stdout += text; } },
    stderr: { write: (text) => { written.stderr += text; } },
  });
  return { code, ...written };
}

function reportOf({ stdout }: Outcome): Report {
  return JSON.parse(stdout) as Report;
}

function received(): string[] {
  return [...sink!.records].flatMap(([imei, records]) => records.map(({ ts, eventId }) => `${imei}/${ts}/${eventId}`));
}

describe('a simulation', () => {
  it('delivers every record of every tracker once', async () => {
    const outcome = await run({ devices: '20', interval: '50ms', duration: '1s', ramp: '0', json: true });
    const report = reportOf(outcome);
    expect(outcome.code).toBe(0);
    expect(report.records.unacknowledged).toBe(0);
    expect(report.records.acknowledged).toBe(report.records.made);
    expect(report.records.made).toBeGreaterThan(300);
    expect(report).toMatchObject({ logins: 20, frames: { resent: 0 }, lastError: null });
    expect(new Set(received()).size).toBe(report.records.made);
    expect(received()).toHaveLength(report.records.made);
    expect(sink!.records.size).toBe(20);
  });

  it.each([['8', '1'], ['8e', '7'], ['16', '255']])('speaks codec %s with frames of %s records', async (codec, records) => {
    const report = reportOf(await run({
      devices: '5', rate: '1000', duration: '500ms', ramp: '0', codec, 'records-per-frame': records, json: true,
    }));
    expect(report.records.acknowledged).toBe(report.records.made);
    expect(received()).toHaveLength(report.records.made);
    expect(sink!.seen.brokenFrames).toBe(0);
  });

  it('sends the backlog, dated back from now', async () => {
    const report = reportOf(await run({
      devices: '3', interval: '1s', duration: '200ms', ramp: '0', backlog: '50:newest', 'records-per-frame': '10', json: true,
    }));
    expect(report.records.made).toBeGreaterThanOrEqual(150);
    for (const records of sink!.records.values()) {
      const times = records.map(({ ts }) => ts);
      expect(Math.max(...times)).toBeLessThanOrEqual(Date.now());
      expect(Math.min(...times)).toBeLessThan(Date.now() - 45_000);
      expect(times[0]).toBeGreaterThan(times[49]!);
    }
  });

  it('loses nothing to any fault, and meets every kind', async () => {
    const report = reportOf(await run({
      devices: '60', interval: '40ms', duration: '3s', ramp: '0', 'records-per-frame': '3', faults: true,
      'fault-rate': '0.2', reconnect: '1s', seed: '7', json: true,
    }));
    for (const kind of FAULT_KINDS) expect(report.faults[kind]).toBeGreaterThan(0);
    expect(report.records.unacknowledged).toBe(0);
    expect(report.frames.resent).toBeGreaterThan(0);
    expect(new Set(received()).size).toBe(report.records.made);
    expect(received().length).toBeGreaterThan(report.records.made);
    expect(report.errors).toMatchObject({ unreachable: 0, timeout: 0, protocol: 0 });
  });

  it('reports in words, and shows its target on standard error', async () => {
    const { stdout, stderr } = await run({ devices: '2', interval: '100ms', duration: '300ms', ramp: '0' });
    expect(stderr).toBe(`2 trackers to 127.0.0.1:${sink!.port}, seed 1\n`);
    expect(stdout.split('\n').map((line) => line.split(' ')[0])).toEqual([
      'fleet', 'logins', 'frames', 'records', 'acknowledged', 'latency', '',
    ]);
  });

  it('says when the frames that were asked for do not fit', async () => {
    const { stderr } = await run({ devices: '1', duration: '50ms', ramp: '0', 'records-per-frame': '200' });
    expect(stderr).toMatch(/frames of 1\d records: 200 do not fit into 1280 bytes/);
  });

  it('writes a CSV file', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'simulator-'));
    const csv = join(folder, 'out.csv');
    await run({ devices: '4', interval: '20ms', duration: '1200ms', ramp: '0', csv });
    const [header, ...lines] = (await readFile(csv, 'utf8')).trimEnd().split('\n');
    await rm(folder, { recursive: true });
    expect(header).toBe('elapsed_s,connected,made_per_s,sent_per_s,acknowledged_per_s,unacknowledged,resent,errors,'
      + 'consumer_lag_entries,ack_p50_ms,ack_p99_ms');
    expect(lines.length).toBeGreaterThanOrEqual(2);
    expect(lines.every((line) => line.split(',').length === 11)).toBe(true);
    expect(Number(lines[0]!.split(',')[4])).toBeGreaterThan(100);
  });

  it('fails when the CSV file cannot be written', async () => {
    await expect(run({ duration: '1s', csv: '/nowhere/out.csv' })).rejects.toThrow('ENOENT');
  });

  it('ends with code 3 when there is no server', async () => {
    const { port, stop } = await startSink();
    await stop();
    const { code, stderr } = await runAgainst(port, { devices: '2', ramp: '0', 'connect-timeout': '300ms' });
    expect(code).toBe(3);
    expect(stderr).toContain(`no tracker was accepted at 127.0.0.1:${port}: connect ECONNREFUSED`);
  });

  it('ends with code 3 when the server refuses every tracker', async () => {
    const { code, stderr } = await run({ devices: '2', ramp: '0', 'connect-timeout': '300ms' }, { refuse: true });
    expect(code).toBe(3);
    expect(stderr).toMatch(/no tracker was accepted at .* \(\d+ logins refused\)/);
  });

  it('ends with code 3 when the server never answers', async () => {
    const outcome = await run(
      { devices: '2', ramp: '0', 'connect-timeout': '500ms', 'ack-timeout': '100ms', json: true }, { silent: true },
    );
    expect(outcome.code).toBe(3);
    expect(reportOf(outcome).errors.timeout).toBeGreaterThan(0);
  });

  it('ends with its report when it is interrupted', async () => {
    const interruption = new AbortController();
    const outcome = run({ devices: '5', interval: '50ms', ramp: '0', json: true }, {}, interruption.signal);
    await eventually(() => (sink?.records.size ?? 0) === 5);
    interruption.abort();
    const report = reportOf(await outcome);
    expect(report.records.acknowledged).toBe(report.records.made);
  });

  it('fails before it connects when --verify cannot ask the database', async () => {
    const raw = { verify: true, 'postgres-url': 'postgres://127.0.0.1:1/none' };
    await expect(run(raw)).rejects.toThrow('ECONNREFUSED');
    expect(sink!.seen.connections).toBe(0);
  });
});
