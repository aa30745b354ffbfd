/**
 * The files of `migrations/`: their order, their checksums, and the directives in the comment that opens each. A file
 * that cannot be read or understood is an error that names it. See `migrations/README.md` for the rules.
 */
import { createHash } from 'node:crypto';
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { SchemaError } from './schema-error.ts';

export const STORAGES = ['timescaledb', 'partitions'] as const;

/** How positions is kept: as a hypertable of TimescaleDB, or as a natively partitioned table. */
export type Storage = (typeof STORAGES)[number];

export interface Migration {
  /** File name: its order, and what `schema_migrations` knows it by. */
  readonly name: string;
  /** SHA-256 in hex. */
  readonly checksum: string;
  /** The only storage that it is applied in; null: every one. */
  readonly requires: Storage | null;
  /** False: each part is sent by itself, outside a transaction. */
  readonly transaction: boolean;
  /** SQL; more than one part only without a transaction. */
  readonly parts: readonly string[];
}

/** Of the lines before the first that is not a comment. */
const DIRECTIVE = /^-- (requires: .*|no-transaction)$/;
const REQUIRES = /^requires: (.*)$/;
const PART_BORDER = /^-- then$\n/m;

function directivesOf(sql: string): string[] {
  const lines = sql.split('\n');
  const end = lines.findIndex((line) => !line.startsWith('--'));
  return lines.slice(0, end === -1 ? lines.length : end).flatMap((line) => DIRECTIVE.exec(line)?.[1] ?? []);
}

function storageOf(name: string, directives: readonly string[]): Storage | null {
  const wanted = directives.flatMap((directive) => REQUIRES.exec(directive)?.[1] ?? [])[0];
  if (wanted === undefined) return null;
  const storage = STORAGES.find((known) => known === wanted);
  if (storage === undefined) {
    throw new SchemaError('migration invalid', `${name}: requires ${wanted}, expected ${STORAGES.join(' or ')}`);
  }
  return storage;
}

/** @param text of the file; line ends do not matter, so that a checkout on Windows has the same checksums */
export function parseMigration(name: string, text: string): Migration {
  const sql = text.replaceAll('\r\n', '\n');
  const directives = directivesOf(sql);
  const transaction = !directives.includes('no-transaction');
  return {
    name,
    checksum: createHash('sha256').update(sql).digest('hex'),
    requires: storageOf(name, directives),
    transaction,
    parts: transaction ? [sql] : sql.split(PART_BORDER),
  };
}

/** All `*.sql` files of a folder in the order of their names, whatever the locale. */
export async function readMigrations(directory: string): Promise<Migration[]> {
  const names = (await readdir(directory)).filter((name) => name.endsWith('.sql')).sort();
  return Promise.all(names.map(async (name) => parseMigration(name, await readFile(join(directory, name), 'utf8'))));
}
