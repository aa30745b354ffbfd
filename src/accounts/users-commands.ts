/** `npm run users`: what its commands are called, take, do and print. */
import { randomBytes } from 'node:crypto';
import { Command } from 'commander';
import type { Role } from '../auth/access.ts';
import { ROLES } from '../auth/access.ts';
import type { OptionReader } from '../shared/option-reader.ts';
import { GRANT_OPTIONS, grantsText, readGrants } from './grants.ts';
import { readPassword } from './password-input.ts';
import type { Definitions, Task } from './program.ts';
import { EXIT, JSON_OPTION, complain, print, printable, readTask, timeText } from './program.ts';
import type { UserInfo, UserWish } from './users.ts';
import { createUser, listUsers, removeUser, setPassword } from './users.ts';

const LONGEST_NAME = 128;
const GENERATED_BYTES = 18;
const GENERATE = ['--generate', 'make a password and print it, instead of reading one from standard input'] as const;

function shown({ id, name, role, grants, createdAt }: UserInfo): Readonly<Record<string, unknown>> {
  return { id, name, role, ...grants, createdAt: timeText(createdAt) };
}

function line({ name, role, grants, createdAt }: UserInfo): string {
  return `${[printable(name), role, printable(grantsText(grants)), `since ${timeText(createdAt)}`].join('  ')}\n`;
}

async function passwordOf(isGenerated: boolean): Promise<string> {
  return isGenerated ? randomBytes(GENERATED_BYTES).toString('base64url') : readPassword();
}

interface Report {
  readonly isJson: boolean;
  /** What has become of the user, for people. */
  readonly done: string;
  /** A password that was made here. */
  readonly generated: string | null;
}

function report(info: UserInfo, { isJson, done, generated }: Report): void {
  const password = generated === null ? {} : { password: generated };
  if (isJson) print(`${JSON.stringify({ ...shown(info), ...password })}\n`);
  else print(`${printable(info.name)} ${done}\n${generated === null ? '' : `password: ${generated}\n`}`);
}

function noSuchUser(name: string): number {
  complain(`no such user: ${printable(name)}`);
  return EXIT.notThere;
}

function create([name = '']: readonly string[], reader: OptionReader): Task {
  const role = reader.choice<Role>('role', ROLES, 'viewer');
  if (!reader.has('role')) reader.problems.push(`--role: expected one of ${ROLES.join(', ')}, got nothing`);
  if (name.length > LONGEST_NAME || name.trim() === '') reader.problem('name', `a name of 1 to ${LONGEST_NAME} characters`, name);
  const wish: UserWish = { name, role, grants: readGrants(reader, role === 'admin') };
  const isJson = reader.flag('json');
  const isGenerated = reader.flag('generate');
  return async ({ pool, publish }) => {
    const password = await passwordOf(isGenerated);
    const info = await createUser(pool, wish, password);
    report(info, { isJson, done: `can sign in as ${role}`, generated: isGenerated ? password : null });
    await publish();
    return EXIT.done;
  };
}

function list(_given: readonly string[], reader: OptionReader): Task {
  const isJson = reader.flag('json');
  return async ({ pool }) => {
    for (const info of await listUsers(pool)) print(isJson ? `${JSON.stringify(shown(info))}\n` : line(info));
    return EXIT.done;
  };
}

function change([name = '']: readonly string[], reader: OptionReader): Task {
  const isJson = reader.flag('json');
  const isGenerated = reader.flag('generate');
  return async ({ pool, publish }) => {
    const password = await passwordOf(isGenerated);
    const info = await setPassword(pool, name, password);
    if (info === null) return noSuchUser(name);
    const done = 'has another password; sessions with the former one end';
    report(info, { isJson, done, generated: isGenerated ? password : null });
    await publish();
    return EXIT.done;
  };
}

function remove([name = '']: readonly string[], reader: OptionReader): Task {
  const isJson = reader.flag('json');
  return async ({ pool, publish }) => {
    const info = await removeUser(pool, name);
    if (info === null) return noSuchUser(name);
    report(info, { isJson, done: 'is removed; sessions end', generated: null });
    await publish();
    return EXIT.done;
  };
}

const NAME = ['<name>', 'what the user signs in with'] as const;

const DEFINITIONS: Definitions = [
  {
    name: 'create', argument: NAME, task: create, help: 'adds a user; the password comes from standard input',
    options: [['--role <role>', `one of ${ROLES.join(', ')}`], ...GRANT_OPTIONS, GENERATE, JSON_OPTION],
  },
  { name: 'list', task: list, help: 'all users, a line each', options: [JSON_OPTION] },
  { name: 'set-password', argument: NAME, task: change, help: 'gives a user another password', options: [GENERATE, JSON_OPTION] },
  { name: 'remove', argument: NAME, task: remove, help: 'removes a user, within seconds everywhere', options: [JSON_OPTION] },
];

export function readUsersCommand(argv: readonly string[]): Task | number {
  const program = new Command('users').description('Users who sign in with a password, under AUTH_PROVIDER=local.');
  return readTask(program, DEFINITIONS, argv);
}
