/**
 * What the commands for keys and for users have in common. Results go to standard output, problems to standard error.
 * Exit codes: 0 done; 1 there is no such key or user, or there is one already; 2 an option or a setting is wrong;
 * 3 PostgreSQL or Redis cannot be reached, or refuses.
 */
import type { Command as Program } from 'commander';
import type { Environment } from '../config/load.ts';
import { SettingsError, loadSettings } from '../config/load.ts';
import { WRONG_OPTION, appending, parseCommandLine } from '../shared/command-line.ts';
import { errorMessage } from '../shared/errors.ts';
import { OptionReader, OptionsError, rawOptions } from '../shared/option-reader.ts';
import { UserExistsError } from './users.ts';
import type { Places } from './places.ts';
import { NoServersError, NotPublishedError, openPlaces, placeProblem } from './places.ts';

export const EXIT = { done: 0, notThere: 1, wrongOption: WRONG_OPTION, unreachable: 3 } as const;

export const NOTES = `
PostgreSQL and Redis are those of POSTGRES_URL and REDIS_URL, or of the Odograph that runs here; other settings are read
from the environment too. Exit codes: 0 done; 1 there is no such key or user, or there is one already; 2 an option or a
setting is wrong; 3 PostgreSQL or Redis cannot be reached, or refuses.`;

/** What is to be done, once the command line was understood. @returns the exit code */
export type Task = (places: Places) => Promise<number>;

export type Definitions = readonly {
  readonly name: string;
  /** As commander takes them: `<name>`, `[ids...]`. */
  readonly argument?: readonly [form: string, help: string];
  readonly help: string;
  readonly options: readonly (readonly [flags: string, help: string])[];
  /** Collects what is wrong with the values in `reader.problems`. */
  readonly task: (given: readonly string[], reader: OptionReader) => Task;
}[];

export const JSON_OPTION = ['--json', 'print JSON'] as const;

function add(program: Program, { name, argument, help, options }: Definitions[number]): Program {
  const command = program.command(name).description(help);
  if (argument !== undefined) command.argument(...argument);
  for (const [flags, text] of options) {
    if (/<(?:ids|scopes)>/.test(flags)) command.option(flags, text, appending(','));
    else command.option(flags, text);
  }
  return command;
}

/** The task; or the exit code, when help was asked for or a command or an option is not known. @throws OptionsError */
export function readTask(program: Program, definitions: Definitions, argv: readonly string[]): Task | number {
  let found: { task: Task; reader: OptionReader } | undefined;
  program.addHelpText('afterAll', NOTES).exitOverride();
  for (const definition of definitions) {
    add(program, definition).action((...all: unknown[]) => {
      const hasArgument = definition.argument !== undefined;
      const given = hasArgument ? [all[0] as string | string[]].flat() : [];
      const reader = new OptionReader(rawOptions(all[hasArgument ? 1 : 0] as Record<string, string | boolean>));
      found = { task: definition.task(given, reader), reader };
    });
  }
  const exitCode = parseCommandLine(program, argv);
  if (exitCode !== null) return exitCode;
  found?.reader.finish();
  return found?.task ?? EXIT.wrongOption;
}

function exitCodeOf(error: unknown): number {
  if (error instanceof UserExistsError) return EXIT.notThere;
  const isWrongOption = [OptionsError, SettingsError, NoServersError].some((kind) => error instanceof kind);
  return isWrongOption ? EXIT.wrongOption : EXIT.unreachable;
}

/** Runs a command line to its end. @returns the exit code */
export async function run(read: () => Task | number, environment: Environment): Promise<number> {
  try {
    const task = read();
    if (typeof task === 'number') return task;
    const places = openPlaces(loadSettings(environment));
    try {
      return await task(places);
    } finally {
      await places.close();
    }
  } catch (error) {
    const isOurs = error instanceof NotPublishedError || exitCodeOf(error) !== EXIT.unreachable;
    process.stderr.write(`${isOurs ? errorMessage(error) : placeProblem(error)}\n`);
    return exitCodeOf(error);
  }
}

export function print(text: string): void {
  process.stdout.write(text);
}

export function complain(text: string): void {
  process.stderr.write(`${text}\n`);
}

/** What comes from the database goes to a terminal: control characters would move its cursor. */
export function printable(text: string): string {
  return text.replace(/\p{Cc}/gu, '\u{fffd}');
}

export function timeText(epochMs: number): string {
  return new Date(epochMs).toISOString();
}
