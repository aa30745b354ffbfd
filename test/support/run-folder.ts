/**
 * The temporary folder of a test run. It goes with the run, and so do the servers whose data is in it: a frozen one
 * does not hear that the test which froze it has ended. Folders of runs that were killed go at the next run.
 */
import { chmod, glob, mkdtemp, readdir, readFile, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { endProcess } from '../../src/embedded/child.ts';
import { commandLineOf, startOf } from '../../src/embedded/process-table.ts';

const PREFIX = 'odograph-test-';
const PID_FILES = ['*/cluster/postmaster.pid', '*/redis.pid', '*/directus.pid'];
const END_TIMEOUT_MS = 10_000;

/** Ends every server whose data is in the folder, and removes the folder. */
export async function removeRunFolder(folder: string): Promise<void> {
  for await (const file of glob(PID_FILES, { cwd: folder })) {
    const pid = Number((await readFile(join(folder, file), 'utf8')).split('\n')[0]);
    if ((await commandLineOf(pid))?.includes(`${folder}/`) === true) await endProcess(pid, 'SIGINT', END_TIMEOUT_MS);
  }
  await rm(folder, { recursive: true, force: true });
}

async function removeIfOurs(folder: string): Promise<void> {
  try {
    if ((await stat(folder)).uid === process.getuid?.()) await removeRunFolder(folder);
  } catch (error) {
    // Another run that begins now may be removing it as well.
    if (!(error instanceof Error && 'code' in error && error.code === 'ENOENT')) throw error;
  }
}

async function removeFoldersOfDeadRuns(): Promise<void> {
  for (const name of await readdir(tmpdir())) {
    const pid = Number(new RegExp(`^${PREFIX}(\\d+)-`).exec(name)?.[1] ?? 0);
    if (pid === 0 || (await startOf(pid)) !== undefined) continue;
    await removeIfOurs(join(tmpdir(), name));
  }
}

/** A new folder for this run, after those of dead runs are gone. */
export async function makeRunFolder(): Promise<string> {
  await removeFoldersOfDeadRuns();
  const folder = await mkdtemp(join(tmpdir(), `${PREFIX}${process.pid}-`));
  // PostgreSQL runs under another account when this is root.
  await chmod(folder, 0o755);
  return folder;
}
