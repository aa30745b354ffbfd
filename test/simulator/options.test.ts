import { describe, expect, it, vi } from 'vitest';
import { readCommandLine } from '../../src/simulator/command-line.ts';
import type { Options } from '../../src/simulator/options.ts';
import { OptionsError } from '../../src/shared/option-reader.ts';
import { readOptions } from '../../src/simulator/options.ts';
import type { RunningInstance } from '../../src/simulator/running-instance.ts';

const INSTANCE: RunningInstance = {
  listener: { host: '127.0.0.1', port: 40_001 },
  postgresUrl: 'postgres://localhost/odograph',
  metricsUrl: 'http://127.0.0.1:9090',
};

function read(line: string, instance: RunningInstance | null = null): Options {
  const raw = readCommandLine(['node', 'main.ts', ...line.split(' ').filter((word) => word !== '')]);
  if (typeof raw === 'number') throw new Error(`exit code ${raw}`);
  return readOptions(raw, instance);
}

function problemsOf(line: string, instance: RunningInstance | null = null): string[] {
  try {
    read(line, instance);
  } catch (error) {
    if (error instanceof OptionsError) return error.message.split('\n');
    throw error;
  }
  return [];
}

describe('readOptions', () => {
  it('has defaults for everything', () => {
    expect(read('')).toEqual({
      host: '127.0.0.1', port: 5027, postgresUrl: null, metricsUrl: null, devices: 100, seed: 1,
      imeiPrefix: '35630700', codec: '8', intervalMs: 1_000, burst: 1, recordsPerFrame: 1, backlog: 0, order: 'oldest',
      durationMs: 0, rampMs: 200, drainMs: 30_000, reconnectMs: 0, answerTimeoutMs: 30_000, connectTimeoutMs: 10_000,
      faults: [], faultRate: 0.02, verify: false, verifyTimeoutMs: 60_000, csv: null, json: false,
    });
  });

  it('reads every option', () => {
    const line = '--devices 2000 --interval 500ms --burst 5 --records-per-frame 10 --backlog 300:newest --duration 2m '
      + '--drain 5s --codec 8E --reconnect 1m --ramp 10s --ack-timeout 2s --connect-timeout 3s --faults cut,resend '
      + '--fault-rate 0.5 --seed 42 --imei-prefix 8612 --host example.org --port 15027 --verify --verify-timeout 10s '
      + '--postgres-url postgres://db/odograph --metrics-url http://example.org:9090 --csv out.csv --json';
    expect(read(line)).toEqual({
      host: 'example.org', port: 15_027, postgresUrl: 'postgres://db/odograph', metricsUrl: 'http://example.org:9090',
      devices: 2_000, seed: 42, imeiPrefix: '8612', codec: '8E', intervalMs: 500, burst: 5, recordsPerFrame: 10,
      backlog: 300, order: 'newest', durationMs: 120_000, rampMs: 10_000, drainMs: 5_000, reconnectMs: 60_000,
      answerTimeoutMs: 2_000, connectTimeoutMs: 3_000, faults: ['cut', 'resend'], faultRate: 0.5, verify: true,
      verifyTimeoutMs: 10_000, csv: 'out.csv', json: true,
    });
  });

  it('takes the interval from the rate of the whole fleet', () => {
    expect(read('--devices 500 --rate 2000').intervalMs).toBe(250);
    expect(read('--devices 500 --rate 2000 --burst 4').intervalMs).toBe(1_000);
  });

  it('means every kind of fault where none is named', () => {
    expect(read('--faults').faults).toEqual(['cut', 'cut-after', 'resend', 'duplicate-login', 'garbage', 'slow']);
  });

  it('finds the Odograph that runs here, and nothing of it when another address is given', () => {
    expect(read('', INSTANCE)).toMatchObject({
      host: '127.0.0.1', port: 40_001, postgresUrl: INSTANCE.postgresUrl, metricsUrl: INSTANCE.metricsUrl,
    });
    expect(read('--port 40001', INSTANCE).metricsUrl).toBe(INSTANCE.metricsUrl);
    expect(read('--port 5027', INSTANCE)).toMatchObject({ port: 5_027, postgresUrl: null, metricsUrl: null });
    expect(read('--host example.org', INSTANCE)).toMatchObject({ host: 'example.org', postgresUrl: null });
  });

  it('tells every problem at once', () => {
    const problems = problemsOf(
      '--devices 0 --interval 1 --burst x --records-per-frame 256 --backlog 5:odd --codec 12 --port 70000 '
      + '--faults cut,fire --fault-rate 2 --metrics-url ftp://x --imei-prefix 12ab --seed -1 --duration 1w',
    );
    expect(problems.map((problem) => problem.split(':')[0]).sort()).toEqual([
      '--backlog', '--burst', '--codec', '--devices', '--duration', '--fault-rate', '--faults', '--imei-prefix',
      '--interval', '--metrics-url', '--port', '--records-per-frame', '--seed',
    ]);
  });

  it.each([
    ['--devices 0', '--devices: expected a whole number from 1 to 1000000, got "0"'],
    ['--interval 1', '--interval: expected a duration like 500ms, 1s or 2m, from 1ms to 24h, got "1"'],
    ['--rate 5 --interval 1s', '--rate: cannot be given together with --interval'],
    ['--devices 2 --rate 5000', '--rate: a device makes up to 1000 records/s, not 2500: give more --devices'],
    ['--interval 10ms --burst 20', '--burst: a device makes up to 1000 records/s, not 2000: give more --devices'],
    ['--fault-rate 0.1', '--fault-rate: needs --faults'],
    ['--verify', '--verify: needs --postgres-url, as no running Odograph was found here'],
    ['--imei-prefix 3563070042 --devices 10001',
      '--imei-prefix: expected a prefix that leaves room for 10001 devices, got "3563070042"'],
  ])('%s is a problem', (line, problem) => {
    expect(problemsOf(line)).toEqual([problem]);
  });
});

describe('readCommandLine', () => {
  it('gives exit code 2 for an option that there is not, and 0 for help', () => {
    const writes = [vi.spyOn(process.stdout, 'write'), vi.spyOn(process.stderr, 'write')];
    for (const write of writes) write.mockReturnValue(true);
    const codes = ['--device=5', 'surplus', '--help'].map((word) => readCommandLine(['node', 'main.ts', word]));
    for (const write of writes) write.mockRestore();
    expect(codes).toEqual([2, 2, 0]);
  });
});
