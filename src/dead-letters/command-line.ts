/** The command line: commands, options and their help, and what a command is asked to do. */
import type { Command as Program } from 'commander';
import { Command as Commander } from 'commander';
import { protocolNames } from '../protocols/registry.ts';
import { WRONG_OPTION, appending, parseCommandLine } from '../shared/command-line.ts';
import { OptionReader, rawOptions } from '../shared/option-reader.ts';
import { DEAD_LETTER_REASONS } from '../shared/reasons.ts';
import type { Selection } from './selection.ts';
import { isEverything, readSelection } from './selection.ts';

export interface Command {
  readonly name: 'list' | 'show' | 'replay' | 'purge';
  readonly selection: Selection;
  /** Print JSON: an object a line for `list` and `show`, one object for the others. */
  readonly json: boolean;
  /** Say what would be done, and do nothing. */
  readonly dryRun: boolean;
}

const FILTERS: readonly (readonly [flags: string, help: string])[] = [
  ['--reason <codes>', `of these reasons: ${DEAD_LETTER_REASONS.join(', ')}`],
  ['--device <ids>', 'of these devices'],
  ['--protocol <names>', `of these protocols: ${protocolNames.join(', ')}`],
  ['--since <time>', 'written then or later: 2026-11-20T12:00:00Z, 2026-11-20, or a duration ago like 2h or 7d'],
  ['--until <time>', 'written then or before'],
  ['--limit <n>', 'at most so many, the oldest first'],
];

const NOTES = `
Lists are separated by commas. Redis is that of REDIS_URL, or of the Odograph that runs here; other settings are read
from the environment too. Exit codes: 0 done; 1 letters were left, or an id is not there; 2 an option or a setting is
wrong; 3 Redis cannot be reached, or refuses; 130 interrupted. What was done until then is done, and can be repeated.`;

interface Definition {
  readonly name: Command['name'];
  readonly ids: string;
  readonly help: string;
  readonly options: readonly (readonly [flags: string, help: string])[];
}

const JSON_LINES = ['--json', 'print JSON, an object a line'] as const;
const JSON_REPORT = ['--json', 'print the report as JSON'] as const;
const DRY_RUN = ['--dry-run', 'say what would be done, and do nothing'] as const;

const COMMANDS: readonly Definition[] = [
  { name: 'list', ids: '[ids...]', help: 'letters, a line each', options: [...FILTERS, JSON_LINES] },
  { name: 'show', ids: '<ids...>', help: 'all that is in these letters, bytes as hex', options: [JSON_LINES] },
  {
    name: 'replay', ids: '[ids...]', help: 'decode letters again, and put what can be kept now on the stream',
    options: [...FILTERS, DRY_RUN, JSON_REPORT],
  },
  {
    name: 'purge', ids: '[ids...]', help: 'delete letters: what is in them is lost',
    options: [...FILTERS, ['--all', 'without ids or filters: every letter'], DRY_RUN, JSON_REPORT],
  },
];

/**
 * What is asked for; or the exit code, when help was asked for or a command or an option is not known.
 * @param now epoch milliseconds
 * @throws OptionsError with every problem of the values
 */
export function readCommandLine(argv: readonly string[], now: number): Command | number {
  let command: Command | undefined;
  const program = new Commander('dlq')
    .description('Dead letters: what could not be decoded or stored, kept to be tried again.')
    .addHelpText('afterAll', NOTES)
    .exitOverride();
  for (const definition of COMMANDS) {
    define(program, definition).action((ids: string[], given: Record<string, string | boolean>) => {
      command = readCommand(definition.name, ids, new OptionReader(rawOptions(given)), now);
    });
  }
  return parseCommandLine(program, argv) ?? command ?? WRONG_OPTION;
}

function define(program: Program, { name, ids, help, options }: Definition): Program {
  const command = program.command(name).description(help).argument(ids, 'ids of letters, as list prints them');
  for (const [flags, text] of options) {
    if (/<(?:codes|ids|names)>/.test(flags)) command.option(flags, text, appending(','));
    else command.option(flags, text);
  }
  return command;
}

function readCommand(name: Command['name'], ids: readonly string[], reader: OptionReader, now: number): Command {
  const selection = readSelection(reader, ids, now);
  if (name === 'purge' && isEverything(selection) !== reader.flag('all')) {
    reader.problems.push(reader.flag('all')
      ? '--all: expected no ids and no filters beside it'
      : 'purge: expected ids, a filter, or --all for every letter');
  }
  reader.finish();
  return { name, selection, json: reader.flag('json'), dryRun: reader.flag('dry-run') };
}
