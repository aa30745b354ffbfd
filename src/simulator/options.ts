/**
 * The options of a run, validated: what the command line says, and for the addresses what a running Odograph says of
 * itself. Every problem is reported at once.
 */
import type { AvlCodec } from '../protocols/teltonika/encode.ts';
import type { RawOptions } from '../shared/option-reader.ts';
import { OptionReader } from '../shared/option-reader.ts';
import type { FaultKind } from './faults.ts';
import { FAULT_KINDS } from './faults.ts';
import { imeiCapacity } from './imei.ts';
import type { RunningInstance } from './running-instance.ts';
import type { SendingOrder } from './tracker.ts';

const SECOND_MS = 1_000;
const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;
const DEFAULT_PORT = 5027;
const DEFAULT_IMEI_PREFIX = '35630700';
const CONNECTS_PER_SECOND = 500;

export interface Options {
  readonly host: string;
  readonly port: number;
  readonly devices: number;
  readonly seed: number;
  readonly imeiPrefix: string;
  readonly codec: AvlCodec;
  /** Each tracker makes `burst` records every `intervalMs`. */
  readonly intervalMs: number;
  readonly burst: number;
  readonly recordsPerFrame: number;
  readonly backlog: number;
  readonly order: SendingOrder;
  /** 0: until interrupted. */
  readonly durationMs: number;
  readonly rampMs: number;
  readonly drainMs: number;
  readonly reconnectMs: number;
  readonly answerTimeoutMs: number;
  readonly connectTimeoutMs: number;
  readonly faults: readonly FaultKind[];
  readonly faultRate: number;
  readonly verify: boolean;
  readonly verifyTimeoutMs: number;
  readonly postgresUrl: string | null;
  readonly metricsUrl: string | null;
  readonly csv: string | null;
  readonly json: boolean;
}

/** Where to ask what became of the records. */
export type Addresses = Pick<Options, 'postgresUrl' | 'metricsUrl'>;

const CODECS: Readonly<Record<string, AvlCodec>> = { '8': '8', '8e': '8E', '16': '16' };
const ORDERS = ['oldest', 'newest', 'shuffled'] as const satisfies readonly SendingOrder[];

/**
 * @param raw what the command line gave
 * @param instance the Odograph that runs here, if one does
 * @throws OptionsError with every problem
 */
export function readOptions(raw: RawOptions, instance: RunningInstance | null): Options {
  const reader = new OptionReader(raw);
  const devices = reader.integer('devices', { default: 100, min: 1, max: 1_000_000 });
  const options: Options = {
    ...readTarget(reader, instance),
    devices,
    seed: reader.integer('seed', { default: 1, min: 0, max: 2 ** 32 - 1 }),
    imeiPrefix: readImeiPrefix(reader, devices),
    codec: CODECS[reader.choice('codec', ['8', '8e', '16'], '8')] ?? '8',
    ...readPace(reader, devices),
    ...readBacklog(reader),
    ...readTimes(reader, devices),
    ...readFaults(reader),
    verify: reader.flag('verify'),
    csv: reader.text('csv') ?? null,
    json: reader.flag('json'),
  };
  if (options.verify && options.postgresUrl === null) {
    reader.problems.push('--verify: needs --postgres-url, as no running Odograph was found here');
  }
  reader.finish();
  return options;
}

function readTarget(reader: OptionReader, instance: RunningInstance | null) {
  const found = instance?.listener ?? { host: '127.0.0.1', port: DEFAULT_PORT };
  const host = reader.text('host') ?? found.host;
  const port = reader.integer('port', { default: found.port, min: 1, max: 65_535 });
  // Another address is another Odograph: the database and the metrics of this one would tell nothing.
  const own = host === found.host && port === found.port ? instance : null;
  return {
    host,
    port,
    postgresUrl: reader.url('postgres-url', ['postgres:', 'postgresql:']) ?? own?.postgresUrl ?? null,
    metricsUrl: reader.url('metrics-url', ['http:', 'https:']) ?? own?.metricsUrl ?? null,
  };
}

function readImeiPrefix(reader: OptionReader, devices: number): string {
  const prefix = reader.text('imei-prefix') ?? DEFAULT_IMEI_PREFIX;
  if (!/^\d{0,14}$/.test(prefix)) reader.problem('imei-prefix', 'up to 14 digits', prefix);
  else if (imeiCapacity(prefix) < devices) {
    reader.problem('imei-prefix', `a prefix that leaves room for ${devices} devices`, prefix);
  }
  return prefix;
}

function readPace(reader: OptionReader, devices: number) {
  const burst = reader.integer('burst', { default: 1, min: 1, max: 10_000 });
  const interval = reader.duration('interval', { default: SECOND_MS, min: 1, max: DAY_MS });
  const rate = reader.decimal('rate', { default: 0, min: 0.001, max: 10_000_000 });
  if (rate > 0 && reader.has('interval')) reader.problems.push('--rate: cannot be given together with --interval');
  const intervalMs = rate > 0 ? (devices * burst * SECOND_MS) / rate : interval;
  if (intervalMs / burst < 1) {
    const wanted = Math.round((burst / intervalMs) * SECOND_MS);
    reader.problems.push(
      `--${rate > 0 ? 'rate' : 'burst'}: a device makes up to 1000 records/s, not ${wanted}: give more --devices`,
    );
  }
  const recordsPerFrame = reader.integer('records-per-frame', { default: 1, min: 1, max: 255 });
  return { intervalMs, burst, recordsPerFrame };
}

/** `N`, `N:oldest`, `N:newest` or `N:shuffled`. */
function readBacklog(reader: OptionReader): { backlog: number; order: SendingOrder } {
  const text = reader.text('backlog') ?? '0';
  const [, count, name = 'oldest'] = /^(\d{1,7})(?::([a-z]+))?$/.exec(text) ?? [];
  const order = ORDERS.find((candidate) => candidate === name);
  if (count !== undefined && order !== undefined) return { backlog: Number(count), order };
  reader.problem('backlog', `up to 9999999 records, and their order, like 1000 or 1000:${ORDERS.join('|')}`, text);
  return { backlog: 0, order: 'oldest' };
}

function readTimes(reader: OptionReader, devices: number) {
  const ramp = (devices / CONNECTS_PER_SECOND) * SECOND_MS;
  return {
    durationMs: reader.duration('duration', { default: 0, min: 0, max: 365 * DAY_MS }),
    rampMs: reader.duration('ramp', { default: ramp, min: 0, max: DAY_MS }),
    drainMs: reader.duration('drain', { default: 30 * SECOND_MS, min: 0, max: DAY_MS }),
    reconnectMs: reader.duration('reconnect', { default: 0, min: 0, max: DAY_MS }),
    answerTimeoutMs: reader.duration('ack-timeout', { default: 30 * SECOND_MS, min: 50, max: HOUR_MS }),
    connectTimeoutMs: reader.duration('connect-timeout', { default: 10 * SECOND_MS, min: 100, max: HOUR_MS }),
    verifyTimeoutMs: reader.duration('verify-timeout', { default: 60 * SECOND_MS, min: 0, max: DAY_MS }),
  };
}

function readFaults(reader: OptionReader): { faults: readonly FaultKind[]; faultRate: number } {
  const faultRate = reader.decimal('fault-rate', { default: 0.02, min: 0, max: 1 });
  if (reader.flag('faults')) return { faults: FAULT_KINDS, faultRate };
  const names = (reader.text('faults') ?? '').split(',').filter((name) => name !== '');
  const faults = FAULT_KINDS.filter((kind) => names.includes(kind));
  const unknown = names.find((name) => !FAULT_KINDS.some((kind) => kind === name));
  if (unknown !== undefined) reader.problem('faults', `kinds among ${FAULT_KINDS.join(', ')}`, unknown);
  if (names.length === 0 && reader.has('fault-rate')) reader.problems.push('--fault-rate: needs --faults');
  return { faults, faultRate };
}
