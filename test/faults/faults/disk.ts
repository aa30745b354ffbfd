/** A disk that is full: the database in a tablespace on a small file system, which somebody else fills up. */
import { spawnSync } from 'node:child_process';
import { mkdir, open, rm, stat } from 'node:fs/promises';
import { chownSync, existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { FileHandle } from 'node:fs/promises';
import { total } from '../../../src/shared/metrics-text.ts';
import { eventually } from '../../support/eventually.ts';
import type { Fault } from '../fault.ts';
import { elsewhere } from '../world/elsewhere.ts';
import type { World } from '../world/world.ts';

const DISK_MIB = 256;
const CHUNK_BYTES = 1024 * 1024;
const LEAST_BYTES = 4096;

function diskOf(world: World): string {
  return `${world.folder}-disk`;
}

/** Mounting takes a right that not every account has. */
function mount(folder: string): boolean {
  return spawnSync('mount', ['-t', 'tmpfs', '-o', `size=${DISK_MIB}m`, 'tmpfs', folder]).status === 0;
}

function unmount(folder: string): void {
  spawnSync('umount', ['--lazy', folder]);
}

/** Those of this run, and of runs that were killed: nobody can remove a folder on which something is mounted. */
export function unmountAll(): void {
  if (!existsSync('/proc/mounts')) return;
  const folders = readFileSync('/proc/mounts', 'utf8').split('\n').map((line) => line.split(' ')[1] ?? '');
  for (const folder of folders) if (/\/odograph-test-.*\/(world-\d+-)?disk$/.test(folder)) unmount(folder);
}

async function impossible(runFolder: string): Promise<string | null> {
  const folder = join(runFolder, 'disk');
  await mkdir(folder, { recursive: true });
  if (!mount(folder)) return 'this account may not mount a small file system';
  unmount(folder);
  return null;
}

/** Moves the database, which is still empty, to the small disk. */
async function prepare(world: World): Promise<void> {
  const folder = diskOf(world);
  await mkdir(folder);
  if (!mount(folder)) throw new Error(`cannot mount ${folder}`);
  const { uid, gid } = await stat(join(world.postgres.dataDir, 'cluster'));
  chownSync(folder, uid, gid);
  await elsewhere(world.postgres.url, async (client) => {
    await client.query(`create tablespace small location '${folder}'`);
    // Workers of the server itself may be in it for a moment.
    await eventually(() => client.query('alter database odograph set tablespace small'));
  });
}

async function fillWith(file: FileHandle, bytes: number): Promise<void> {
  const chunk = Buffer.alloc(bytes);
  for (;;) {
    try {
      await file.write(chunk);
    } catch (error) {
      if (error instanceof Error && 'code' in error && error.code === 'ENOSPC') return;
      throw error;
    }
  }
}

/** Transactions that core has had refused for want of room. */
async function refusals(world: World): Promise<number> {
  return total(await world.program('core').metrics(), 'odograph_core_write_retries_total', { code: '53100' });
}

async function inject(world: World): Promise<void> {
  const path = join(diskOf(world), 'filler');
  const before = await refusals(world);
  const file = await open(path, 'w');
  for (const bytes of [CHUNK_BYTES, LEAST_BYTES]) await fillWith(file, bytes);
  await file.close();
  // What the tables have room for is still taken.
  await eventually(async () => (await refusals(world)) > before, { timeoutMs: 30_000 });
  await world.outage(async () => {
    await world.hold(12_000, 14_000);
    await rm(path);
  });
}

export const diskFull: Pick<Fault, 'impossible' | 'prepare' | 'inject' | 'cleanUp'> = {
  impossible,
  prepare,
  inject,
  cleanUp: (world) => { unmount(diskOf(world)); },
};
