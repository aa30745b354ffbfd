/** The command line of the demo. */
import { Command, InvalidArgumentError, Option } from 'commander';

export interface DemoOptions {
  readonly devices: number;
  /** How long the trackers send, as the simulator reads it (`20s`, `5m`); undefined: until Ctrl-C. */
  readonly duration: string | undefined;
  /** Verify and end: the exit code says whether everything that was acknowledged was stored, once. */
  readonly smoke: boolean;
  readonly faults: boolean;
  /** When the command was given, epoch milliseconds. */
  readonly startedAt: number;
}

interface Given {
  readonly devices?: number;
  readonly duration?: string;
  readonly smoke: boolean;
  readonly faults: boolean;
  readonly startedAt?: number;
}

function count(text: string): number {
  const value = Number(text);
  if (!Number.isInteger(value) || value < 1) throw new InvalidArgumentError('expected a whole number from 1.');
  return value;
}

function duration(text: string): string {
  if (/^\d+(\.\d+)?(ms|s|m|h)$/.test(text)) return text;
  throw new InvalidArgumentError('expected a duration such as 500ms, 20s or 5m.');
}

/** @param args without the program's name. Prints and ends the process on --help and on mistakes. */
export function parseOptions(args: readonly string[]): DemoOptions {
  const command = new Command('npm run demo --')
    .description('Odograph with embedded PostgreSQL and Redis and a simulated fleet: shows what flows, until Ctrl-C.')
    .option('--devices <count>', 'simulated trackers (default: 50; 20 with --smoke)', count)
    .option('--duration <time>', 'how long they send (default: until Ctrl-C; 20s with --smoke)', duration)
    .option('--smoke', 'verify that what was acknowledged was stored, exactly once; then end', false)
    .option('--faults', 'trackers behave as badly as they do in the field', false)
    .addOption(new Option('--started-at <ms>', 'when the command was given, epoch ms').argParser(count).hideHelp())
    .parse(args, { from: 'user' });
  const given = command.opts<Given>();
  return {
    devices: given.devices ?? (given.smoke ? 20 : 50),
    duration: given.duration ?? (given.smoke ? '20s' : undefined),
    smoke: given.smoke,
    faults: given.faults,
    startedAt: given.startedAt ?? Date.now(),
  };
}
