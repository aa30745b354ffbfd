/**
 * `npm run schema [-- --check] [url]`: writes `schema.sql` (TimescaleDB) and `schema.native.sql` (native partitions)
 * as the migrations make them, or, with --check, compares and exits with 1 where a file is out of date. Works on a
 * server that it starts for itself, or on that of the URL, in databases that it drops again. A storage that the server
 * does not offer is left out with a line that says so.
 */
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { STORAGES } from '../src/db/migration-files.ts';
import { extensionSettings, findPostgres } from '../src/embedded/postgres-binaries.ts';
import { startPostgres } from '../src/embedded/postgres.ts';
import { dumpFresh, offersTimescale, SCHEMA_FILES } from './schema-text.ts';

const ROOT = fileURLToPath(new URL('../', import.meta.url));

function say(line: string): void {
  process.stdout.write(`${line}\n`);
}

async function withOwnServer<T>(work: (url: string) => Promise<T>): Promise<T> {
  const found = await findPostgres();
  const binaries = found.find(({ timescaledb }) => timescaledb) ?? found[0];
  if (binaries === undefined) throw new Error('no PostgreSQL 15 or later on this machine: give the URL of one');
  const dataDir = await mkdtemp(join(tmpdir(), 'odograph-schema-'));
  try {
    const settings = { fsync: 'off', ...extensionSettings(binaries) };
    const server = await startPostgres({ dataDir, binDir: binaries.binDir, settings });
    try {
      return await work(server.url);
    } finally {
      await server.stop();
    }
  } finally {
    await rm(dataDir, { recursive: true, force: true });
  }
}

async function upToDate(file: string, text: string, check: boolean): Promise<boolean> {
  if (!check) {
    await writeFile(join(ROOT, file), text);
    say(`${file} written`);
    return true;
  }
  const same = (await readFile(join(ROOT, file), 'utf8')) === text;
  say(same ? `${file} is what the migrations make` : `${file} is out of date: npm run schema writes it`);
  return same;
}

async function dumpAll(url: string, check: boolean): Promise<boolean> {
  const timescale = await offersTimescale(url);
  let allSame = true;
  for (const storage of STORAGES) {
    const file = SCHEMA_FILES[storage];
    if (storage === 'timescaledb' && !timescale) say(`${file} left out: this server does not offer TimescaleDB`);
    else allSame = (await upToDate(file, await dumpFresh(url, storage), check)) && allSame;
  }
  return allSame;
}

const { values, positionals } = parseArgs({ options: { check: { type: 'boolean', default: false } }, allowPositionals: true });
const [url] = positionals;
const work = (server: string): Promise<boolean> => dumpAll(server, values.check);
const same = await (url === undefined ? withOwnServer(work) : work(url));
process.exitCode = same ? 0 : 1;
