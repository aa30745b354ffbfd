/**
 * Reads the settings from an environment. All that is wrong is reported at once, each with the variable, what was
 * expected and what was given; an empty variable counts as absent. The only reader of `process.env` is `src/main.ts`,
 * which passes it in.
 */
import type { Setting } from './setting.ts';
import type { SettingName, Settings } from './settings.ts';
import { SETTINGS } from './settings.ts';
import { contradictions } from './contradictions.ts';
import { closest } from './spelling.ts';

export type Environment = Readonly<Record<string, string | undefined>>;

/** Thrown by `loadSettings`: `problems` has one line for each. */
export class SettingsError extends Error {
  override readonly name = 'SettingsError';
  readonly problems: readonly string[];

  constructor(problems: readonly string[]) {
    super(`${problems.length} problem${problems.length === 1 ? '' : 's'} in the settings:\n  ${problems.join('\n  ')}`);
    this.problems = problems;
  }
}

/** Below, names of others are alike by chance: APP_PORT is no API_PORT. */
const SHORT_NAME = 9;
/** From here on, two letters exchanged are a slip too. */
const LONG_NAME = 12;

/** Names with these beginnings are ours: one that is not in the table is a mistake, not somebody else's variable. */
const OWN_PREFIXES = ['ODOGRAPH_', 'INGEST_', 'PROCESSOR_', 'STREAM_', 'POSITIONS_', 'LIVE_', 'DEAD_LETTER_', 'API_', 'QUERY_'];

/** Switches of the tests, which the processes that they start inherit. */
const TEST_SWITCHES = new Set(['ODOGRAPH_TEST_SERVERS', 'ODOGRAPH_DIRECTUS_CACHE']);

function given(value: string, definition: Setting<unknown>): string {
  if (definition.secret) return '(not shown)';
  return JSON.stringify(value.length > 80 ? `${value.slice(0, 80)}…` : value);
}

/** A name of somebody else that is almost one of ours, which is not given: taken for a slip of the finger. */
function isSlip(name: string, environment: Environment): boolean {
  const edits = name.length < LONG_NAME ? 1 : 2;
  const meant = name.length < SHORT_NAME ? undefined : closest(name, Object.keys(SETTINGS), edits);
  return meant !== undefined && environment[meant] === undefined;
}

function unknownNames(environment: Environment): string[] {
  const unknown = Object.keys(environment).filter(
    (name) =>
      !(name in SETTINGS) &&
      !TEST_SWITCHES.has(name) &&
      (OWN_PREFIXES.some((prefix) => name.startsWith(prefix)) || isSlip(name, environment)),
  );
  return unknown.map((name) => {
    const suggestion = closest(name, Object.keys(SETTINGS));
    return `${name}: there is no such setting${suggestion === undefined ? '' : `; did you mean ${suggestion}?`}`;
  });
}

/** What a part of the system knows about settings that this folder does not; a line for each problem. */
export type Rule = (settings: Partial<Settings>) => readonly string[];

/**
 * The settings of this process, frozen.
 * @throws SettingsError with every problem: bad values, unknown names, combinations that cannot work.
 */
export function loadSettings(environment: Environment, ...rules: readonly Rule[]): Settings {
  const problems: string[] = [];
  const values: Partial<Record<SettingName, unknown>> = {};
  for (const name of Object.keys(SETTINGS) as SettingName[]) {
    const definition: Setting<unknown> = SETTINGS[name];
    const raw = environment[name] === '' ? undefined : environment[name];
    const source = raw ?? definition.default;
    if (source === null) continue;
    const result = definition.schema.safeParse(source);
    if (result.success) values[name] = result.data;
    else problems.push(`${name}: expected ${definition.expected}, got ${given(source, definition)}`);
  }
  problems.push(...unknownNames(environment));
  for (const rule of rules) problems.push(...rule(values as Partial<Settings>));
  if (problems.length === 0) problems.push(...contradictions(values as Settings));
  if (problems.length > 0) throw new SettingsError(problems);
  return Object.freeze(values) as Settings;
}
