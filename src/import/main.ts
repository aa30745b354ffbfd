/**
 * `npm run import -- FILE…`: brings files of records in over the HTTP API; in the image `node src/import/main.ts`.
 *
 * The report goes to standard output, progress and problems to standard error. Exit codes: 0 all of it is imported;
 * 1 records were rejected; 2 an option, a setting or a file is wrong; 3 the server cannot be reached, or refuses;
 * 130 interrupted. Interrupted, it finishes the requests under way, writes how far it has come, and says how to go on.
 */
import { SettingsError, loadSettings } from '../config/load.ts';
import { errorMessage } from '../shared/errors.ts';
import { OptionsError } from '../shared/option-reader.ts';
import { stopSignal } from '../shared/stop-signal.ts';
import type { ImportCommand } from './command-line.ts';
import { readCommandLine } from './command-line.ts';
import { readDevices } from './devices-file.ts';
import type { ImportJob } from './import-file.ts';
import { importFile } from './import-file.ts';
import type { Input } from './input.ts';
import { inspect } from './input.ts';
import type { ReadOptions } from './item.ts';
import { ImportProgress } from './progress.ts';
import { Rejects } from './rejects.ts';
import { emptyReport, reportText } from './report.ts';
import { GaveUpError, RefusedError, Sender } from './sender.ts';
import { readState, removeState, stateFileOf } from './state.ts';
import { NoTargetError, findTarget } from './target.ts';

const EXIT = { done: 0, rejected: 1, wrong: 2, unreachable: 3, interrupted: 130 } as const;

/** A variable of this tool alone, and none of the settings. */
const KEY_VARIABLE = 'ODOGRAPH_API_KEY';

type Shared = Pick<ImportJob, 'options' | 'sender' | 'rejects' | 'progress' | 'interrupted'>;

class FormatError extends Error {
  override readonly name = 'FormatError';
}

async function optionsOf(command: ImportCommand): Promise<ReadOptions> {
  const { deviceId, mapping, devicesFile, zone, order, speedFactor } = command;
  const devices = devicesFile === undefined ? new Map<string, string>() : await readDevices(devicesFile);
  return { deviceId, mapping, devices, time: { zone, order }, speedFactor };
}

async function createSender(
  command: ImportCommand, progress: ImportProgress, interrupted: AbortSignal,
): Promise<Sender | null> {
  if (command.dryRun) return null;
  const { [KEY_VARIABLE]: ownKey, ...environment } = process.env;
  const key = command.key ?? ownKey;
  const target = await findTarget({ url: command.url, key }, loadSettings(environment));
  const onWait = (reason: string): void => { progress.waiting(reason); };
  return new Sender({ target, giveUpMs: command.giveUpMs, interrupted, onWait });
}

async function jobOf(command: ImportCommand, input: Input, shared: Shared): Promise<ImportJob> {
  const { batchRecords, inFlight, resume } = command;
  const format = command.format ?? input.format;
  if (format === null) throw new FormatError(`${input.file}: its format cannot be told: say --format`);
  const stateFile = stateFileOf(input.file, command.stateFile);
  const state = resume ? await readState(stateFile, input) : undefined;
  if (resume && state === undefined) process.stderr.write(`${input.file}: no earlier run of this file as it is now; from its beginning\n`);
  const report = { ...emptyReport(), ...state?.report, resumedFrom: state?.items ?? 0 };
  return { ...shared, input, format, batchRecords, inFlight, stateFile, skip: state?.items ?? 0, report };
}

function howToGoOn(): void {
  const given = process.argv.slice(2).filter((one) => one !== '--resume').map((one) => (/^[\w./:=-]+$/.test(one) ? one : JSON.stringify(one)));
  process.stderr.write(`to go on: npm run import -- ${given.join(' ')} --resume\n`);
}

/** @returns whether records were rejected */
async function runJob(job: ImportJob, { json, dryRun }: ImportCommand): Promise<boolean> {
  const { report, input: { file } } = job;
  try {
    await importFile(job);
  } finally {
    job.progress.end();
    process.stdout.write(json ? `${JSON.stringify({ file, dryRun, ...report })}\n` : reportText(file, report, dryRun));
  }
  if (!job.interrupted.aborted && job.sender !== null) await removeState(job.stateFile);
  return report.rejected > 0;
}

async function run(command: ImportCommand, interrupted: AbortSignal): Promise<number> {
  const inputs = await Promise.all(command.files.map((file) => inspect(file)));
  const options = await optionsOf(command);
  const totalBytes = inputs.reduce((sum, { bytes }) => sum + bytes, 0);
  const progress = new ImportProgress(process.stderr, totalBytes, () => performance.now());
  const sender = await createSender(command, progress, interrupted);
  const rejects = command.rejectsFile === undefined ? null : new Rejects(command.rejectsFile, command.resume);
  let exitCode: number = EXIT.done;
  try {
    for (const input of inputs) {
      const job = await jobOf(command, input, { options, sender, rejects, progress, interrupted });
      if (await runJob(job, command)) exitCode = EXIT.rejected;
      if (interrupted.aborted) break;
    }
  } catch (error) {
    if (error instanceof GaveUpError || error instanceof RefusedError) howToGoOn();
    throw error;
  } finally {
    await rejects?.close();
  }
  if (!interrupted.aborted) return exitCode;
  howToGoOn();
  return EXIT.interrupted;
}

function exitCodeOf(error: unknown, interrupted: AbortSignal): number {
  if (interrupted.aborted) return EXIT.interrupted;
  if (error instanceof GaveUpError || error instanceof RefusedError) return EXIT.unreachable;
  const isKnown = [OptionsError, SettingsError, NoTargetError, FormatError].some((kind) => error instanceof kind);
  // A file that cannot be read, or is not what its format says.
  return isKnown || error instanceof Error ? EXIT.wrong : EXIT.unreachable;
}

const interruption = new AbortController();
process.stdout.on('error', () => process.exit(EXIT.done));
try {
  const command = readCommandLine(process.argv);
  void stopSignal().then(() => { interruption.abort(); });
  process.exitCode = typeof command === 'number' ? command : await run(command, interruption.signal);
} catch (error) {
  process.stderr.write(`${errorMessage(error)}\n`);
  process.exitCode = exitCodeOf(error, interruption.signal);
}
process.exit();
