/**
 * A simulation from its options to its exit code: runs the fleet, shows its progress, verifies if asked to, and prints
 * the report. The report is printed whatever comes of the verification.
 */
import { errorMessage } from '../shared/errors.ts';
import type { StatusOutput } from '../shared/status-line.ts';
import type { Verification } from './comparison.ts';
import { dialer } from './connection.ts';
import { ServerMetrics } from './server-metrics.ts';
import { createCsvFile } from './csv.ts';
import type { CsvFile } from './csv.ts';
import { effectiveRecordsPerFrame, Fleet } from './fleet.ts';
import type { Addresses, Options } from './options.ts';
import { Progress } from './progress.ts';
import { createReport, formatReport } from './report.ts';
import type { RunTimes } from './run.ts';
import { runFleet } from './run.ts';
import { Sampler } from './sampler.ts';
import { Statistics } from './statistics.ts';
import { StoredPositions } from './stored-positions.ts';
import { verifyFleet } from './verification.ts';

const EXIT = { done: 0, lostOrDuplicated: 1, unreachable: 3 } as const;

export interface Outputs {
  /** The report. */
  readonly stdout: { write(text: string): unknown };
  /** Progress and problems. */
  readonly stderr: StatusOutput;
}

interface Simulation {
  readonly options: Options;
  /** Where the database and the metrics are now. */
  readonly addresses: () => Addresses;
  readonly statistics: Statistics;
  readonly fleet: Fleet;
  readonly metrics: ServerMetrics;
  readonly progress: Progress;
}

/** What came of --verify: its result, or why there is none. */
type Verdict = { readonly verification: Verification } | { readonly problem: string } | null;

/**
 * @param addresses where the database and the metrics are now: asked again when they are needed
 * @param interrupted ends the run early, with its report
 * @returns the exit code: 0; 1 lost or duplicated; 3 no tracker was accepted, or the verification could not be done
 * @throws when the database cannot be asked before the run, or the CSV file cannot be written
 */
export async function simulate(
  options: Options, addresses: () => Addresses, interrupted: AbortSignal, outputs: Outputs,
): Promise<number> {
  const statistics = new Statistics();
  const simulation: Simulation = {
    options, addresses, statistics,
    fleet: new Fleet(options, statistics, dialer(options.host, options.port), clock),
    metrics: new ServerMetrics(() => addresses().metricsUrl),
    progress: new Progress(outputs.stderr, options.devices),
  };
  if (options.verify) await withDatabase(simulation, (database) => database.check());
  announce(simulation);
  simulation.metrics.start();
  try {
    const startedAt = Date.now();
    const times = await runWithSamples(simulation, interrupted);
    const verdict = options.verify ? await verify(simulation, startedAt) : null;
    const verification = verdict !== null && 'verification' in verdict ? verdict.verification : null;
    const { peakMemoryBytes } = simulation.metrics;
    const report = createReport(options, statistics, { ...times, verification, peakMemoryBytes });
    outputs.stdout.write(`${options.json ? JSON.stringify(report, null, 2) : formatReport(report)}\n`);
    return exitCode(simulation, times, verdict);
  } finally {
    simulation.metrics.stop();
  }
}

function clock(): number {
  return performance.now();
}

async function withDatabase<Result>(
  { addresses, progress }: Simulation, work: (database: StoredPositions) => Promise<Result>,
): Promise<Result> {
  const { postgresUrl } = addresses();
  if (postgresUrl === null) throw new Error('there is no address of a database');
  const database = new StoredPositions(postgresUrl, (error) => { progress.note(`PostgreSQL: ${error.message}`); });
  try {
    return await work(database);
  } finally {
    await database.close();
  }
}

function announce({ options, fleet, progress }: Simulation): void {
  progress.note(`${options.devices} trackers to ${options.host}:${options.port}, seed ${options.seed}`);
  const [tracker] = fleet.trackers;
  if (tracker === undefined) return;
  const recordsPerFrame = effectiveRecordsPerFrame(options, tracker.vehicle);
  if (recordsPerFrame < options.recordsPerFrame) {
    progress.note(`frames of ${recordsPerFrame} records: ${options.recordsPerFrame} do not fit into 1280 bytes`);
  }
}

async function runWithSamples(simulation: Simulation, interrupted: AbortSignal): Promise<RunTimes> {
  const { options, statistics, fleet, metrics, progress } = simulation;
  const csv: CsvFile | null = options.csv === null ? null : await createCsvFile(options.csv);
  const sampler = new Sampler(statistics, metrics, clock);
  sampler.start((sample) => {
    progress.show(sample);
    csv?.write(sample);
  });
  try {
    return await runFleet(fleet, statistics, options, interrupted, clock);
  } finally {
    sampler.stop();
    csv?.write(sampler.take());
    await csv?.close();
    progress.end();
  }
}

async function verify(simulation: Simulation, startedAt: number): Promise<Verdict> {
  const { options, statistics, fleet, metrics, progress } = simulation;
  if (statistics.recordsAcknowledged === 0) return { problem: 'nothing was acknowledged' };
  try {
    const verification = await verifyFleet(fleet.trackers, startedAt, {
      timeoutMs: options.verifyTimeoutMs,
      read: (compare) => withDatabase(simulation, compare),
      onRound: (state) => {
        progress.note(`verifying: ${state}${metrics.lag === null ? '' : `, lag ${metrics.lag}`}`);
      },
    });
    return { verification };
  } catch (error) {
    return { problem: errorMessage(error) };
  }
}

function exitCode({ options, statistics, progress }: Simulation, times: RunTimes, verdict: Verdict): number {
  if (times.neverAccepted) {
    const cause = statistics.lastError === null ? '' : `: ${statistics.lastError}`;
    const refused = statistics.refusedLogins > 0 ? ` (${statistics.refusedLogins} logins refused)` : '';
    progress.note(`no tracker was accepted at ${options.host}:${options.port}${refused}${cause}`);
    return EXIT.unreachable;
  }
  if (verdict === null) return EXIT.done;
  if ('problem' in verdict) {
    progress.note(`not verified: ${verdict.problem}`);
    return EXIT.unreachable;
  }
  const { lost, duplicated } = verdict.verification;
  return lost === 0 && duplicated === 0 ? EXIT.done : EXIT.lostOrDuplicated;
}
