import { describe, expect, it } from 'vitest';
import { parseMigration, readMigrations } from '../../src/db/migration-files.ts';
import { MIGRATIONS_DIRECTORY } from '../../src/db/schema.ts';
import { SchemaError } from '../../src/db/schema-error.ts';

describe('parseMigration', () => {
  it('takes a file without directives for every storage, in one transaction', () => {
    const sql = '-- Devices.\n\ncreate table a ();\n';
    expect(parseMigration('1.sql', sql)).toMatchObject({ requires: null, transaction: true, parts: [sql] });
  });

  it('reads the directives of the first comment', () => {
    const migration = parseMigration('1.sql', '-- About.\n-- requires: timescaledb\n-- no-transaction\nselect 1;\n');
    expect(migration).toMatchObject({ requires: 'timescaledb', transaction: false });
  });

  it('ignores what looks like a directive further down', () => {
    const migration = parseMigration('1.sql', '\n-- requires: partitions\n-- no-transaction\nselect 1;\n-- then\nselect 2;\n');
    expect(migration).toMatchObject({ requires: null, transaction: true });
    expect(migration.parts).toHaveLength(1);
  });

  it('splits a file without a transaction at its borders', () => {
    const migration = parseMigration('1.sql', '-- no-transaction\nselect 1;\n-- then\nselect 2;\n');
    expect(migration.parts).toEqual(['-- no-transaction\nselect 1;\n', 'select 2;\n']);
  });

  it('refuses a storage that does not exist, naming the file', () => {
    expect(() => parseMigration('7.sql', '-- requires: oracle\n')).toThrow(SchemaError);
    expect(() => parseMigration('7.sql', '-- requires: oracle\n')).toThrow('7.sql: requires oracle');
  });

  it('has a checksum that depends on the text and not on its line ends', () => {
    const sum = (text: string): string => parseMigration('1.sql', text).checksum;
    expect(sum('a\r\nb\r\n')).toBe(sum('a\nb\n'));
    expect(sum('a\nb\n')).not.toBe(sum('a\nc\n'));
  });
});

describe('migrations/', () => {
  it('has names that sort as they are numbered, each number once', async () => {
    const names = (await readMigrations(MIGRATIONS_DIRECTORY)).map(({ name }) => name);
    expect(names.map((name) => /^(\d{4})-[a-z0-9-]+\.sql$/.exec(name)?.[1])).toEqual(
      names.map((_, index) => String(index + 1).padStart(4, '0')),
    );
  });

  it('gives positions the same columns in both storages', async () => {
    const migrations = await readMigrations(MIGRATIONS_DIRECTORY);
    const tables = migrations.flatMap(({ parts }) => /create table positions \([^;]*\n\)/.exec(parts[0] ?? '')?.[0] ?? []);
    expect(tables).toHaveLength(2);
    expect(tables[0]).toBe(tables[1]);
  });
});
