import { readFile } from 'node:fs/promises';
import { describe, expect, inject, it } from 'vitest';
import { dumpFresh, SCHEMA_FILES, schemaText } from '../../scripts/schema-text.ts';
import { prepareDatabase } from '../../src/db/schema.ts';
import { NATIVE, openDatabase, recordingLog } from './fixture.ts';

const { postgresUrl, timescaledb } = inject('servers');

function schemaFile(storage: keyof typeof SCHEMA_FILES): Promise<string> {
  return readFile(new URL(`../../${SCHEMA_FILES[storage]}`, import.meta.url), 'utf8');
}

describe('the schema files', () => {
  it.runIf(timescaledb)('have what the migrations make of TimescaleDB', async () => {
    expect(await dumpFresh(postgresUrl, 'timescaledb')).toBe(await schemaFile('timescaledb'));
  });

  it('have what the migrations make of native partitions', async () => {
    expect(await dumpFresh(postgresUrl, 'partitions')).toBe(await schemaFile('partitions'));
  });
});

describe('schemaText', () => {
  it('lists what it does not describe', async () => {
    const { pool } = await openDatabase();
    await prepareDatabase(pool, NATIVE, recordingLog());
    const before = await schemaText(pool, 'partitions');
    await pool.query(`
      create materialized view fleet as select * from devices;
      create procedure nothing() language plpgsql as 'begin end';
      create type colour as enum ('red')`);
    const after = await schemaText(pool, 'partitions');
    expect(after.replace(before, '')).toBe('\n-- also: materialized view fleet\n-- also: procedure nothing\n-- also: type colour\n');
  });

  it('has functions and triggers as they are', async () => {
    const { pool } = await openDatabase();
    await prepareDatabase(pool, NATIVE, recordingLog());
    await pool.query(`
      create function nothing() returns trigger language plpgsql as 'begin return new; end';
      comment on function nothing is 'does it';
      create trigger on_device before insert on devices for each row execute function nothing()`);
    const text = await schemaText(pool, 'partitions');
    expect(text).toContain('CREATE OR REPLACE FUNCTION nothing()');
    expect(text).toContain("comment on function nothing is 'does it';");
    expect(text).toContain('CREATE TRIGGER on_device BEFORE INSERT ON devices FOR EACH ROW EXECUTE FUNCTION nothing();');
  });

  it('notices a changed column, constraint, index and comment', async () => {
    const { pool } = await openDatabase();
    await prepareDatabase(pool, NATIVE, recordingLog());
    const seen = new Set([await schemaText(pool, 'partitions')]);
    const changes = [
      'alter table positions alter column altitude type double precision',
      'alter table devices alter column name set not null',
      'alter table groups alter column kind set default \'event\'',
      'alter table devices drop constraint devices_unique_id_length',
      'drop index positions_ts',
      'comment on column positions.speed is \'knots\'',
      'alter table device_state set (fillfactor = 100)',
      'drop table positions_default',
    ];
    for (const [index, change] of changes.entries()) {
      await pool.query(change);
      seen.add(await schemaText(pool, 'partitions'));
      expect(seen.size, change).toBe(index + 2);
    }
  });
});
