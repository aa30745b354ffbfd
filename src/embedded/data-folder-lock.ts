/**
 * One living Odograph per data folder. The lock is a file that names the pid of its owner and since when that process
 * lives, so that what a killed process left behind blocks nobody and a pid that is used again is not mistaken for it.
 */
import { link, mkdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { startOf } from './process-table.ts';

const LOCK = 'odograph.lock';

interface Owner {
  readonly pid: number;
  readonly since: string;
}

/** Thrown when a living process has the folder. */
export class DataFolderInUseError extends Error {
  override readonly name = 'DataFolderInUseError';
  readonly pid: number;

  constructor(folder: string, pid: number) {
    const remedy = 'stop that one, or set ODOGRAPH_DATA_DIR';
    super(`the data folder ${folder} is in use by another Odograph, process ${pid}: ${remedy}`);
    this.pid = pid;
  }
}

function isCode(error: unknown, code: string): boolean {
  return error instanceof Error && 'code' in error && error.code === code;
}

function parseOwner(text: string): Owner | undefined {
  const [pid, since] = text.trim().split('\n');
  return since === undefined ? undefined : { pid: Number(pid), since };
}

async function readIfThere(path: string): Promise<string | undefined> {
  try {
    return await readFile(path, 'utf8');
  } catch (error) {
    if (isCode(error, 'ENOENT')) return undefined;
    throw error;
  }
}

/** Takes away the lock of a dead owner. Renamed first: what was renamed is put back unless it is what was read. */
async function removeStale(lock: string, read: string, own: string): Promise<void> {
  const aside = `${own}.stale`;
  try {
    await rename(lock, aside);
    if ((await readIfThere(aside)) !== read) await link(aside, lock);
  } catch (error) {
    if (!isCode(error, 'ENOENT') && !isCode(error, 'EEXIST')) throw error;
  }
  await rm(aside, { force: true });
}

/** @returns the living process that holds the lock, as the text of a lock tells; undefined: none does */
async function livingOwner(text: string): Promise<Owner | undefined> {
  const owner = parseOwner(text);
  return owner !== undefined && (await startOf(owner.pid)) === owner.since ? owner : undefined;
}

async function take(folder: string, lock: string, own: string): Promise<void> {
  for (;;) {
    try {
      // A link appears with its whole content, or not at all because another lock is there.
      await link(own, lock);
      return;
    } catch (error) {
      if (!isCode(error, 'EEXIST')) throw error;
    }
    const text = await readIfThere(lock);
    if (text === undefined) continue;
    const owner = await livingOwner(text);
    if (owner !== undefined) throw new DataFolderInUseError(folder, owner.pid);
    await removeStale(lock, text, own);
  }
}

/** @throws DataFolderInUseError where a living process has the folder; nobody is kept from taking it next */
export async function refuseFolderInUse(folder: string): Promise<void> {
  const owner = await livingOwner((await readIfThere(join(folder, LOCK))) ?? '');
  if (owner !== undefined) throw new DataFolderInUseError(folder, owner.pid);
}

/**
 * Makes the folder where needed and locks it until `release`, or until this process ends in whatever way.
 * @throws DataFolderInUseError with the pid of the process that has it.
 */
export async function lockDataFolder(folder: string): Promise<{ release(): Promise<void> }> {
  await mkdir(folder, { recursive: true });
  const lock = join(folder, LOCK);
  const own = `${lock}.${process.pid}`;
  await writeFile(own, `${process.pid}\n${(await startOf(process.pid)) ?? ''}\n`);
  try {
    await take(folder, lock, own);
  } finally {
    await rm(own, { force: true });
  }
  return { release: () => rm(lock, { force: true }) };
}
