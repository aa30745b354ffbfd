/**
 * Command lines for child servers: they end with this process even when it is killed, and they do not run as root where
 * they refuse to. Uses `setpriv` of util-linux where it is there (every Debian, Ubuntu, Fedora); without it the next
 * start on the same data folder ends what a killed process left behind.
 */
import { execFile } from 'node:child_process';
import { stat } from 'node:fs/promises';
import { promisify } from 'node:util';

const run = promisify(execFile);

export interface Account {
  readonly uid: number;
  readonly gid: number;
}

/** How to spawn a program: what Node's `spawn` takes. */
export interface Launch {
  readonly command: string;
  readonly args: readonly string[];
  readonly account?: Account;
}

/**
 * CAP_DAC_OVERRIDE through the change of account. Without the secure bit the kernel leaves it out where a program asks
 * with access(2), as initdb does about the binaries beside it.
 */
const KEPT_CAPABILITY = [
  '--securebits=+no_setuid_fixup',
  '--inh-caps=+dac_override',
  '--ambient-caps=+dac_override',
];

async function succeeds(command: string, args: readonly string[], account?: Account): Promise<boolean> {
  try {
    await run(command, args, { cwd: '/', ...account });
    return true;
  } catch (error) {
    if (error instanceof Error) return false;
    throw error;
  }
}

async function idOf(user: string): Promise<Account | undefined> {
  if (!(await succeeds('id', [user]))) return undefined;
  const [uid, gid] = await Promise.all([run('id', ['-u', user]), run('id', ['-g', user])]);
  return { uid: Number(uid.stdout), gid: Number(gid.stdout) };
}

/**
 * The account that a server on `folder` runs under when this process is root: the folder's owner unless that is root,
 * else `postgres`, else `nobody`. undefined when this process is not root and starts children under its own account.
 */
export async function unprivilegedAccount(folder: string): Promise<Account | undefined> {
  if (process.getuid?.() !== 0) return undefined;
  const { uid, gid } = await stat(folder);
  if (uid !== 0) return { uid, gid };
  const account = (await idOf('postgres')) ?? (await idOf('nobody'));
  if (account === undefined) throw new Error('PostgreSQL does not run as root, and there is neither a user postgres nor nobody');
  return account;
}

/** Whether `account` can run `program` and write to `folder` as it is, without a capability. */
async function reaches(account: Account, program: string, folder: string): Promise<boolean> {
  return (await succeeds('test', ['-x', program], account)) && (await succeeds('test', ['-w', folder], account));
}

/**
 * A launch of `program` that ends with `deathSignal` when this process dies. With an `account` it runs under that one,
 * and keeps CAP_DAC_OVERRIDE where the account alone could not reach the program or the folder, such as below a
 * directory with mode 0700.
 * @throws Error where such a folder needs `setpriv` and there is none.
 */
export async function launch(
  program: string,
  args: readonly string[],
  options: { deathSignal: 'INT' | 'TERM' | 'KILL'; account?: Account | undefined; folder: string },
): Promise<Launch> {
  const { account, folder, deathSignal } = options;
  const override = account !== undefined && !(await reaches(account, program, folder));
  if (!(await succeeds('setpriv', ['--pdeathsig', deathSignal, 'true']))) {
    if (override) throw new Error(`uid ${account.uid} cannot reach ${folder} or ${program}: install setpriv (util-linux), or do not run as root`);
    return { command: program, args, ...(account && { account }) };
  }
  const identity = account === undefined ? [] : [`--reuid=${account.uid}`, `--regid=${account.gid}`, '--clear-groups'];
  const capability = override ? KEPT_CAPABILITY : [];
  return { command: 'setpriv', args: [`--pdeathsig=${deathSignal}`, ...identity, ...capability, '--', program, ...args] };
}
