import { describe, expect, it } from 'vitest';
import type { Pool } from 'pg';
import { withSchemaLock } from '../../src/db/ddl.ts';
import { migrate } from '../../src/db/migrate.ts';
import type { Storage } from '../../src/db/migration-files.ts';
import { parseMigration } from '../../src/db/migration-files.ts';
import { classify } from '../../src/db/sqlstate.ts';
import { eventually } from '../support/eventually.ts';
import { openDatabase, openPool, recordingLog, value } from './fixture.ts';

type Files = Readonly<Record<string, string>>;

/** Migrates as one instance does; gives the names of the files that were applied. */
async function run(pool: Pool, files: Files, storage: Storage = 'partitions'): Promise<unknown[]> {
  const migrations = Object.entries(files).map(([name, text]) => parseMigration(name, text));
  const log = recordingLog();
  await withSchemaLock(pool, { onWait: () => undefined }, (client) => migrate(client, migrations, storage, log));
  return log.lines.map(({ fields }) => ('migration' in fields ? fields.migration : undefined));
}

function exists(pool: Pool, relation: string): Promise<unknown> {
  return value(pool, 'select to_regclass($1) is not null', [relation]);
}

const TWO: Files = { '1.sql': 'create table a (x integer);', '2.sql': 'alter table a add column y integer;' };

describe('migrate', () => {
  it('applies each file once, in order, and records it', async () => {
    const { pool } = await openDatabase();
    expect(await run(pool, TWO)).toEqual(['1.sql', '2.sql']);
    expect(await run(pool, TWO)).toEqual([]);
    const rows = await pool.query('select name, length(checksum) as length, duration_ms >= 0 as timed from schema_migrations');
    expect(rows.rows).toEqual([
      { name: '1.sql', length: 64, timed: true },
      { name: '2.sql', length: 64, timed: true },
    ]);
  });

  it('applies only the files of its storage', async () => {
    const { pool } = await openDatabase();
    const files = { '1.sql': '-- requires: timescaledb\nselect ghost();', '2.sql': '-- requires: partitions\nselect 1;' };
    expect(await run(pool, files)).toEqual(['2.sql']);
  });

  it('refuses a file that has changed since it was applied, and applies nothing', async () => {
    const { pool } = await openDatabase();
    await run(pool, { '1.sql': TWO['1.sql'] ?? '' });
    const changed = { ...TWO, '1.sql': 'create table a (x bigint);' };
    await expect(run(pool, changed)).rejects.toMatchObject({
      name: 'SchemaError',
      problem: 'migration changed',
      message: '1.sql is not the file that was applied to this database',
    });
    expect(await value(pool, 'select count(*) from schema_migrations')).toBe(1);
  });

  it('refuses a database of a newer version, and names what it does not know', async () => {
    const { pool } = await openDatabase();
    await run(pool, { ...TWO, '3.sql': 'select 1;', '4.sql': 'select 1;' });
    await expect(run(pool, TWO)).rejects.toMatchObject({
      problem: 'migration unknown',
      message: 'a newer version has been here: this one does not know 3.sql, 4.sql',
    });
  });

  it('leaves nothing of a file that fails, names it and its line, and goes on when it is mended', async () => {
    const { pool } = await openDatabase();
    const files = { ...TWO, '3.sql': '-- Half.\ncreate table half ();\n\nselect ghost();' };
    await expect(run(pool, files)).rejects.toMatchObject({
      problem: 'migration failed',
      message: '3.sql, line 4: function ghost() does not exist (42883)',
    });
    expect(await exists(pool, 'half')).toBe(false);
    expect(await exists(pool, 'a')).toBe(true);
    expect(await run(pool, { ...TWO, '3.sql': 'create table half ();' })).toEqual(['3.sql']);
  });

  it('throws a lost connection as it came, and goes on at the next start', async () => {
    const { pool } = await openDatabase();
    const files = { ...TWO, '3.sql': 'create table b (); select pg_terminate_backend(pg_backend_pid());' };
    const failure: unknown = await run(pool, files).catch((error: unknown) => error);
    expect(failure).not.toHaveProperty('problem');
    expect(classify(failure).action).toBe('retry');
    expect(await exists(pool, 'b')).toBe(false);
    expect(await run(pool, { ...TWO, '3.sql': 'create table b ();' })).toEqual(['3.sql']);
  });

  it('runs a file without a transaction part by part, beside an instance that waits', async () => {
    const { pool, url } = await openDatabase();
    const concurrently =
      '-- no-transaction\ncreate index concurrently if not exists a_x on a (x);\n-- then\ncreate index concurrently a_y on a (y);';
    const files = { ...TWO, '3.sql': concurrently };
    const applied = await Promise.all([run(pool, files), run(openPool(url).pool, files)]);
    expect(applied.flat()).toEqual(['1.sql', '2.sql', '3.sql']);
    expect(await value(pool, 'select bool_and(indisvalid) from pg_index where indrelid = \'a\'::regclass')).toBe(true);
  });

  it('takes longer than POSTGRES_STATEMENT_TIMEOUT_MS where it must', async () => {
    const { url } = await openDatabase();
    const { pool } = openPool(url, { POSTGRES_STATEMENT_TIMEOUT_MS: 100 });
    expect(await run(pool, { '1.sql': 'select pg_sleep(0.3);' })).toEqual(['1.sql']);
  });

  it('gives way to writers, and is done when their transactions are', async () => {
    const { pool, url } = await openDatabase();
    await run(pool, TWO);
    const { pool: writers } = openPool(url);
    const longWriter = await writers.connect();
    await longWriter.query('begin; insert into a values (1)');
    const migrated = run(pool, { ...TWO, '3.sql': 'alter table a add column z integer not null default 7;' });

    const waiting = 'select count(*) from pg_locks where relation = \'a\'::regclass and not granted';
    await eventually(async () => (await value(writers, waiting)) !== 0);
    // Queued behind the migration, which gives up within its lock_timeout although the long writer goes on.
    await writers.query('insert into a values (2)');

    await longWriter.query('commit');
    longWriter.release();
    expect(await migrated).toEqual(['3.sql']);
    expect(await value(pool, 'select sum(z) from a')).toBe(14);
  });
});
