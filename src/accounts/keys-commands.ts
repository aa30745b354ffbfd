/** `npm run keys`: what its commands are called, take, do and print. */
import { Command } from 'commander';
import { SCOPES } from '../auth/access.ts';
import type { OptionReader } from '../shared/option-reader.ts';
import { GRANT_OPTIONS, grantsText, readGrants } from './grants.ts';
import type { KeyInfo, KeyWish } from './keys.ts';
import { createKey, listKeys, revokeKeys } from './keys.ts';
import type { Definitions, Task } from './program.ts';
import { EXIT, JSON_OPTION, complain, print, printable, readTask, timeText } from './program.ts';

const YEAR_MS = 365 * 24 * 3_600_000;
const LONGEST_NAME = 128;
/** As JSON shows it; times in ISO 8601. */
type Shown = Readonly<Record<string, unknown>>;

function stateOf({ revokedAt, expiresAt }: KeyInfo, now: number): string {
  if (revokedAt !== null) return `revoked ${timeText(revokedAt)}`;
  if (expiresAt === null) return 'good';
  return `${expiresAt <= now ? 'expired' : 'good until'} ${timeText(expiresAt)}`;
}

function shown({ id, name, scopes, grants, createdAt, expiresAt, revokedAt }: KeyInfo): Shown {
  const time = (at: number | null): string | null => (at === null ? null : timeText(at));
  const times = { createdAt: time(createdAt), expiresAt: time(expiresAt), revokedAt: time(revokedAt) };
  return { id, name, scopes, ...grants, ...times };
}

function line(info: KeyInfo, now: number): string {
  const { id, name, scopes, grants } = info;
  return `${[id, printable(name), scopes.join('+'), printable(grantsText(grants)), stateOf(info, now)].join('  ')}\n`;
}

function readWish(name: string, reader: OptionReader): KeyWish {
  const scopes = [...new Set(reader.choices('scope', SCOPES))];
  if (!reader.has('scope')) reader.problems.push(`--scope: expected one or more of ${SCOPES.join(', ')}, got nothing`);
  if (name.length > LONGEST_NAME || name.trim() === '') reader.problem('name', `a name of 1 to ${LONGEST_NAME} characters`, name);
  const grants = readGrants(reader, scopes.includes('admin'));
  const expiresMs = reader.has('expires') ? reader.duration('expires', { default: 0, min: 1_000, max: 100 * YEAR_MS }) : null;
  return { name, scopes, grants, expiresAt: expiresMs === null ? null : Date.now() + expiresMs };
}

function create([name = '']: readonly string[], reader: OptionReader): Task {
  const wish = readWish(name, reader);
  const isJson = reader.flag('json');
  return async ({ pool, publish }) => {
    const { key, info } = await createKey(pool, wish);
    if (isJson) print(`${JSON.stringify({ ...shown(info), key })}\n`);
    else print(`${key}\n`);
    if (!isJson) complain('This is the only time that the key is shown: keep it where secrets are kept.');
    await publish();
    return EXIT.done;
  };
}

function list(_given: readonly string[], reader: OptionReader): Task {
  const isJson = reader.flag('json');
  return async ({ pool }) => {
    for (const info of await listKeys(pool)) print(isJson ? `${JSON.stringify(shown(info))}\n` : line(info, Date.now()));
    return EXIT.done;
  };
}

function revoke(given: readonly string[], reader: OptionReader): Task {
  const isJson = reader.flag('json');
  // Whoever has the key at hand need not cut its id out.
  const ids = given.map((text) => /^odo_([a-z0-9]{12})_/.exec(text)?.[1] ?? text);
  return async ({ pool, publish }) => {
    const revoked = await revokeKeys(pool, ids);
    for (const info of revoked) print(isJson ? `${JSON.stringify(shown(info))}\n` : `${info.id} is revoked\n`);
    const missing = ids.filter((id) => !revoked.some((info) => info.id === id));
    for (const id of missing) complain(`no such key: ${printable(id)}`);
    await publish();
    return missing.length === 0 ? EXIT.done : EXIT.notThere;
  };
}

const DEFINITIONS: Definitions = [
  {
    name: 'create', argument: ['<name>', 'what the key is for'], task: create,
    help: 'makes a key and prints it, this once',
    options: [
      ['--scope <scopes>', `what it may do: ${SCOPES.join(', ')}`], ...GRANT_OPTIONS,
      ['--expires <duration>', 'how long it is good, like 12h or 90d; without it until it is revoked'], JSON_OPTION,
    ],
  },
  { name: 'list', task: list, help: 'all keys, a line each, without their secrets', options: [JSON_OPTION] },
  {
    name: 'revoke', argument: ['<ids...>', 'ids of keys, as list prints them'], task: revoke,
    help: 'ends keys, within seconds and for ever', options: [JSON_OPTION],
  },
];

export function readKeysCommand(argv: readonly string[]): Task | number {
  const program = new Command('keys').description('API keys: credentials of programs under AUTH_PROVIDER=local.');
  return readTask(program, DEFINITIONS, argv);
}
