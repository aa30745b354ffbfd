/** A disk that is full: the database in a tablespace on a small file system, which somebody else fills up. */
import { spawnSync } from 'node:child_process';
import { mkdir, open, rm, stat } from 'node:fs/promises';
import { chownSync } from 'node:fs';
import { join } from 'node:path';
import type { FileHandle } from 'node:fs/promises';
import { Client } from 'pg';
import type { Fault } from '../fault.ts';
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
  process.once('exit', () => { unmount(folder); });
  const { uid, gid } = await stat(join(world.postgres.dataDir, 'cluster'));
  chownSync(folder, uid, gid);
  const url = new URL(world.postgres.url);
  url.pathname = '/postgres';
  const client = new Client({ connectionString: url.href });
  await client.connect();
  await client.query(`create tablespace small location '${folder}'`);
  await client.query('alter database odograph set tablespace small');
  await client.end();
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

async function inject(world: World): Promise<void> {
  const path = join(diskOf(world), 'filler');
  await world.outage(async () => {
    const file = await open(path, 'w');
    for (const bytes of [CHUNK_BYTES, LEAST_BYTES]) await fillWith(file, bytes);
    await file.close();
    await world.hold(8_000, 10_000);
    await rm(path);
  });
}

export const diskFull: Pick<Fault, 'impossible' | 'prepare' | 'inject' | 'cleanUp'> = {
  impossible,
  prepare,
  inject,
  cleanUp: (world) => { unmount(diskOf(world)); },
};
