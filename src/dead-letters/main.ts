/**
 * `npm run dlq`: looks at the dead letters, replays them and purges them; in the image `node src/dead-letters/main.ts`.
 *
 * Results go to standard output, progress and problems to standard error. Exit codes: 0 done; 1 letters were left, or
 * an id is not there; 2 an option or a setting is wrong; 3 Redis cannot be reached, or refuses; 130 interrupted.
 */
import { once } from 'node:events';
import { SettingsError, loadSettings } from '../config/load.ts';
import { errorMessage } from '../shared/errors.ts';
import { OptionsError } from '../shared/option-reader.ts';
import { stopSignal } from '../shared/stop-signal.ts';
import type { Command } from './command-line.ts';
import { readCommandLine } from './command-line.ts';
import { connect, NoRedisError } from './connection.ts';
import { pagesOf } from './letters.ts';
import type { StoredLetter } from './letters.ts';
import { listJson, listLine, showJson, showText } from './listing.ts';
import { Progress } from './progress.ts';
import { purge } from './purge.ts';
import type { RunContext } from './replay.ts';
import { PartitionsError, replay } from './replay.ts';
import { emptyPurgeReport, emptyReplayReport, purgeText, replayText, total } from './report.ts';

const EXIT = { done: 0, incomplete: 1, wrongOption: 2, unreachable: 3, interrupted: 130 } as const;

/** What an operator can mend by another option or setting. */
const WRONG_OPTION_ERRORS = [OptionsError, SettingsError, NoRedisError, PartitionsError];

async function print(text: string): Promise<void> {
  if (!process.stdout.write(text)) await once(process.stdout, 'drain');
}

async function printLetters(
  { selection }: Command, { redis, interrupted }: RunContext, format: (stored: StoredLetter) => string,
): Promise<number> {
  let exitCode: number = EXIT.done;
  for await (const { letters, missing } of pagesOf(redis, selection)) {
    if (interrupted.aborted) break;
    for (const stored of letters) await print(format(stored));
    for (const id of missing) process.stderr.write(`no such letter: ${id}\n`);
    if (missing.length > 0) exitCode = EXIT.incomplete;
  }
  return exitCode;
}

async function runReplay(command: Command, context: RunContext): Promise<number> {
  const report = emptyReplayReport();
  try {
    await replay(command, context, report);
  } finally {
    context.progress.end();
    await print(command.json ? asJson(report, command) : replayText(report, command.dryRun));
  }
  return total(report.left) > 0 || report.missing.length > 0 ? EXIT.incomplete : EXIT.done;
}

async function runPurge(command: Command, context: RunContext): Promise<number> {
  const report = emptyPurgeReport();
  try {
    await purge(command, context, report);
  } finally {
    context.progress.end();
    await print(command.json ? asJson(report, command) : purgeText(report, command.dryRun));
  }
  return report.missing.length > 0 ? EXIT.incomplete : EXIT.done;
}

function asJson(report: object, { dryRun }: Command): string {
  return `${JSON.stringify({ dryRun, ...report })}\n`;
}

function run(command: Command, context: RunContext): Promise<number> {
  switch (command.name) {
    case 'list':
      return printLetters(command, context, command.json ? listJson : listLine);
    case 'show':
      return printLetters(command, context, command.json ? showJson : showText);
    case 'replay':
      return runReplay(command, context);
    case 'purge':
      return runPurge(command, context);
  }
}

async function main(): Promise<number> {
  const command = readCommandLine(process.argv, Date.now());
  if (typeof command === 'number') return command;
  const settings = loadSettings(process.env);
  const interruption = new AbortController();
  void stopSignal().then(() => { interruption.abort(); });
  const redis = await connect(settings);
  try {
    const progress = new Progress(process.stderr, () => performance.now());
    const exitCode = await run(command, { redis, settings, progress, interrupted: interruption.signal });
    return interruption.signal.aborted ? EXIT.interrupted : exitCode;
  } finally {
    redis.disconnect();
  }
}

// Whoever reads has seen enough: `list | head`.
process.stdout.on('error', () => process.exit(EXIT.done));
try {
  process.exitCode = await main();
} catch (error) {
  process.stderr.write(`${errorMessage(error)}\n`);
  const isWrongOption = WRONG_OPTION_ERRORS.some((kind) => error instanceof kind);
  process.exitCode = isWrongOption ? EXIT.wrongOption : EXIT.unreachable;
}
