/** The report at the end of a run: the same facts as an object (for --json) and as text. */
import { formatDuration } from '../shared/duration.ts';
import type { FaultKind } from './faults.ts';
import { FAULT_KINDS } from './faults.ts';
import type { Options } from './options.ts';
import type { RunTimes } from './run.ts';
import type { ErrorKind, Statistics } from './statistics.ts';
import { ERROR_KINDS } from './statistics.ts';
import type { Verification } from './comparison.ts';

export interface Report {
  readonly seed: number;
  readonly devices: number;
  readonly elapsedMs: number;
  readonly logins: number;
  readonly refusedLogins: number;
  readonly frames: { readonly sent: number; readonly acknowledged: number; readonly resent: number };
  readonly records: {
    readonly made: number;
    readonly sent: number;
    readonly acknowledged: number;
    readonly resent: number;
    readonly unacknowledged: number;
  };
  readonly acknowledgedPerSecond: number;
  /** From the last byte of a frame to its acknowledgement; null: there was none. */
  readonly latencyMs: { readonly p50: number | null; readonly p99: number | null; readonly max: number };
  readonly faults: Readonly<Record<FaultKind, number>>;
  readonly errors: Readonly<Record<ErrorKind, number>>;
  readonly lastError: string | null;
  /** Most resident memory of the server, where its metrics can be read; null: unknown. */
  readonly peakMemoryBytes: number | null;
  /** null: not asked for. */
  readonly verification: Verification | null;
}

export function createReport(
  options: Pick<Options, 'seed' | 'devices'>,
  statistics: Statistics,
  outcome: RunTimes & Pick<Report, 'verification' | 'peakMemoryBytes'>,
): Report {
  const { latency } = statistics;
  return {
    seed: options.seed,
    devices: options.devices,
    elapsedMs: Math.round(outcome.elapsedMs),
    logins: statistics.logins,
    refusedLogins: statistics.refusedLogins,
    frames: {
      sent: statistics.framesSent, acknowledged: statistics.framesAcknowledged, resent: statistics.framesResent,
    },
    records: {
      made: statistics.recordsMade,
      sent: statistics.recordsSent,
      acknowledged: statistics.recordsAcknowledged,
      resent: statistics.recordsResent,
      unacknowledged: statistics.unacknowledged,
    },
    acknowledgedPerSecond: Math.round((statistics.recordsAcknowledged * 1_000) / Math.max(1, outcome.elapsedMs)),
    latencyMs: { p50: latency.quantileMs(0.5), p99: latency.quantileMs(0.99), max: latency.maxMs },
    faults: { ...statistics.faults },
    errors: { ...statistics.errors },
    lastError: statistics.lastError,
    peakMemoryBytes: outcome.peakMemoryBytes,
    verification: outcome.verification,
  };
}

const MIB = 1024 * 1024;

/** Lines of a name and its value; what did not happen is left out. */
export function formatReport(report: Report): string {
  const { frames, records, latencyMs: latency } = report;
  const milliseconds = (value: number | null): string => (value === null ? '-' : `${value.toFixed(2)} ms`);
  const lines: (readonly [name: string, value: string])[] = [
    ['fleet', `${report.devices} devices, seed ${report.seed}, ${formatDuration(report.elapsedMs)}`],
    ['logins', `${count(report.logins)} accepted, ${count(report.refusedLogins)} refused`],
    ['frames', `${count(frames.sent)} sent, ${count(frames.resent)} of them again, `
      + `${count(frames.acknowledged)} acknowledged`],
    ['records', `${count(records.made)} made, ${count(records.sent)} sent, ${count(records.resent)} of them again`],
    ['acknowledged', `${count(records.acknowledged)} records (${count(report.acknowledgedPerSecond)}/s), `
      + `${count(records.unacknowledged)} not acknowledged`],
    ['latency', `p50 ${milliseconds(latency.p50)}, p99 ${milliseconds(latency.p99)}, max ${milliseconds(latency.max)}`],
    ['server', memory(report.peakMemoryBytes)],
    ['faults', listed(FAULT_KINDS, report.faults)],
    ['errors', listed(ERROR_KINDS, report.errors) + (report.lastError === null ? '' : ` (last: ${report.lastError})`)],
    ...verificationLines(report.verification),
  ];
  return lines.filter(([, value]) => value !== '').map(([name, value]) => `${name.padEnd(13)}${value}`).join('\n');
}

function verificationLines(verification: Verification | null): (readonly [string, string])[] {
  if (verification === null) return [];
  const { lost, altered, duplicated, neverSent, compared, unacknowledgedStored } = verification;
  return [
    ['verified', `${count(compared)} acknowledged records against the database: `
      + `${count(lost)} lost (${count(altered)} of them altered), `
      + `${count(duplicated)} duplicated (${count(neverSent)} of them never sent)`],
    ['', `${count(unacknowledgedStored)} stored without an acknowledgement that arrived`],
    ...verification.examples.map((example) => ['', example] as const),
  ];
}

function listed<Name extends string>(names: readonly Name[], counts: Readonly<Record<Name, number>>): string {
  return names.filter((name) => counts[name] > 0).map((name) => `${name} ${count(counts[name])}`).join(', ');
}

function memory(bytes: number | null): string {
  return bytes === null ? '' : `${count(Math.round(bytes / MIB))} MiB of resident memory at most`;
}

function count(value: number): string {
  return value.toLocaleString('en');
}
