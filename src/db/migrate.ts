/**
 * Applies the files of `migrations/` that a database does not have yet, in the order of their names, each with its row
 * in `schema_migrations` in one transaction: a file that fails leaves nothing behind. A database that is not what
 * these files made (a changed file, a file of a newer version) is a SchemaError and is left as it is. A lost
 * connection is thrown as it came, and migrating again goes on where it ended.
 */
import pg from 'pg';
import type { PoolClient } from 'pg';
import { errorMessage } from '../shared/errors.ts';
import { inDdlTransaction, longQuery } from './ddl.ts';
import type { DatabaseLog } from './log.ts';
import type { Migration, Storage } from './migration-files.ts';
import { SchemaError } from './schema-error.ts';

const CREATE_TABLE = `
  create table schema_migrations (
    name text primary key,
    checksum text not null,
    applied_at timestamptz not null default now(),
    duration_ms integer not null
  );
  comment on table schema_migrations is 'Files of migrations/ that were applied to this database';
  comment on column schema_migrations.name is 'File name';
  comment on column schema_migrations.checksum is 'SHA-256 of the file, in hex';
  comment on column schema_migrations.duration_ms is 'How long it took, milliseconds';
`;

/** Checksums by name. */
type Applied = ReadonlyMap<string, string>;

async function readApplied(client: PoolClient): Promise<Applied> {
  const found = await client.query<{ found: boolean }>('select to_regclass(\'schema_migrations\') is not null as found');
  if (found.rows[0]?.found !== true) await inDdlTransaction(client, () => client.query(CREATE_TABLE));
  const result = await client.query<{ name: string; checksum: string }>('select name, checksum from schema_migrations');
  return new Map(result.rows.map((row) => [row.name, row.checksum]));
}

function refuseUnknown(migrations: readonly Migration[], applied: Applied): void {
  const known = new Set(migrations.map((migration) => migration.name));
  const unknown = [...applied.keys()].filter((name) => !known.has(name)).sort();
  if (unknown.length === 0) return;
  const names = unknown.join(', ');
  throw new SchemaError('migration unknown', `a newer version has been here: this one does not know ${names}`);
}

function refuseChanged(migrations: readonly Migration[], applied: Applied): void {
  const changed = migrations.find(({ name, checksum }) => (applied.get(name) ?? checksum) !== checksum);
  if (changed === undefined) return;
  throw new SchemaError('migration changed', `${changed.name} is not the file that was applied to this database`);
}

/** SQLSTATE of a server that is going away, full or read-only: nothing that the file is to blame for. */
const NOT_THE_FILE = /^(08|25006|53|57|58)/;

function failure(migration: Migration, sql: string, error: unknown): unknown {
  if (!(error instanceof pg.DatabaseError) || NOT_THE_FILE.test(error.code ?? '')) return error;
  const line = error.position === undefined ? '' : `, line ${sql.slice(0, Number(error.position)).split('\n').length}`;
  const message = `${migration.name}${line}: ${errorMessage(error)} (${error.code ?? 'no SQLSTATE'})`;
  return new SchemaError('migration failed', message, error);
}

async function run(client: PoolClient, migration: Migration, sql: string): Promise<void> {
  try {
    await longQuery(client, sql);
  } catch (error) {
    throw failure(migration, sql, error);
  }
}

async function record(client: PoolClient, migration: Migration, startedAt: number): Promise<number> {
  const durationMs = Math.round(performance.now() - startedAt);
  await client.query('insert into schema_migrations (name, checksum, duration_ms) values ($1, $2, $3)', [
    migration.name,
    migration.checksum,
    durationMs,
  ]);
  return durationMs;
}

async function apply(client: PoolClient, migration: Migration): Promise<number> {
  const startedAt = performance.now();
  const runParts = async (): Promise<number> => {
    for (const part of migration.parts) await run(client, migration, part);
    return record(client, migration, startedAt);
  };
  return migration.transaction ? inDdlTransaction(client, runParts) : runParts();
}

/**
 * Brings the schema to this version.
 * @param client holds the schema lock
 * @param storage decides which of the files with `-- requires:` are applied
 * @throws SchemaError `migration unknown`, `migration changed`, `migration failed`
 */
export async function migrate(
  client: PoolClient,
  migrations: readonly Migration[],
  storage: Storage,
  log: DatabaseLog,
): Promise<void> {
  const applied = await readApplied(client);
  refuseUnknown(migrations, applied);
  refuseChanged(migrations, applied);
  for (const migration of migrations) {
    if (applied.has(migration.name) || (migration.requires ?? storage) !== storage) continue;
    const durationMs = await apply(client, migration);
    log.info({ migration: migration.name, durationMs }, 'migration applied');
  }
}
