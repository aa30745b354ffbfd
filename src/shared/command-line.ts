/** What the command lines of all tools have in common, beside the values of options, which `option-reader.ts` reads. */
import type { Command } from 'commander';
import { CommanderError } from 'commander';

/** Exit code of every tool for a command, an option or a setting that is wrong. */
export const WRONG_OPTION = 2;

/** Runs the actions of `program`. @returns null; or the exit code, when help was asked for or something is not known */
export function parseCommandLine(program: Command, argv: readonly string[]): number | null {
  try {
    program.parse(argv);
    return null;
  } catch (error) {
    if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : WRONG_OPTION;
    throw error;
  }
}

/** For commander: an option that is given twice adds to what was given. */
export function appending(separator: string): (value: string, former: string | undefined) => string {
  return (value, former) => (former === undefined ? value : `${former}${separator}${value}`);
}
