import type { Pool } from 'pg';
import { describe, expect, inject, it, onTestFinished } from 'vitest';
import { withSchemaLock } from '../../src/db/ddl.ts';
import { prepareDatabase } from '../../src/db/schema.ts';
import { startPrivatePostgres } from '../support/database.ts';
import { eventually } from '../support/eventually.ts';
import { insertRecord, NATIVE, openDatabase, openPool, recordingLog, SCHEMA_SETTINGS, TIMESCALE, value } from './fixture.ts';

const { timescaledb } = inject('servers');
const VARIANTS = timescaledb ? [TIMESCALE, NATIVE] : [NATIVE];

describe.each(VARIANTS)('prepareDatabase with POSITIONS_STORAGE=$POSITIONS_STORAGE', (settings) => {
  it('prepares an empty database, and changes nothing the second time', async () => {
    const { pool } = await openDatabase();
    const log = recordingLog();
    expect(await prepareDatabase(pool, settings, log)).toEqual({ storage: settings.POSITIONS_STORAGE });
    const again = recordingLog();
    expect(await prepareDatabase(pool, { ...settings, POSITIONS_STORAGE: 'auto' }, again)).toEqual({
      storage: settings.POSITIONS_STORAGE,
    });
    expect(log.lines.every(({ level }) => level === 'info')).toBe(true);
    expect(again.lines).toEqual([]);
  });

  it('is done once by two instances that start together', async () => {
    const { pool, url } = await openDatabase();
    const logs = [recordingLog(), recordingLog()] as const;
    const pools = [pool, openPool(url).pool] as const;
    await Promise.all(pools.map((each, index) => prepareDatabase(each, settings, logs[index] ?? logs[0])));
    const lines = logs.flatMap((log) => log.lines.map(({ message }) => message));
    const applied = await value(pool, 'select count(*) from schema_migrations');
    expect(lines.filter((message) => message === 'migration applied')).toHaveLength(Number(applied));
    expect(lines).toContain('another instance is preparing the database; waiting for it');
  });

  it('works with the smallest pool', async () => {
    const { url } = await openDatabase();
    const { pool } = openPool(url, { POSTGRES_POOL_SIZE: 2 });
    await prepareDatabase(pool, settings, recordingLog());
  });

  it('stores any time that a tracker may send, and stores it once', async () => {
    const { pool } = await openDatabase();
    await prepareDatabase(pool, settings, recordingLog());
    const times = ['1970-01-01 00:00:00+00', '1970-01-01 00:00:01+00', '2038-01-19 03:14:08+00', '2099-12-31 23:59:59+00'];
    for (const ts of times) await insertRecord(pool, ts);
    for (const ts of times) await expect(insertRecord(pool, ts)).rejects.toMatchObject({ code: '23505' });
    expect(await value(pool, 'select count(*) from positions')).toBe(times.length);
    expect(await value(pool, 'select min(ts) from positions')).toBe(0);
  });

  it('keeps an event and the periodic record of one instant apart', async () => {
    const { pool } = await openDatabase();
    await prepareDatabase(pool, settings, recordingLog());
    await pool.query(`insert into positions (device_id, ts, event_id, received_at, valid)
      values (1, '2026-11-20 00:00+00', 0, now(), true), (1, '2026-11-20 00:00+00', 239, now(), true)`);
    expect(await value(pool, 'select count(*) from positions')).toBe(2);
  });

  it('refuses to become the other kind of storage', async () => {
    const { pool } = await openDatabase();
    const { storage } = await prepareDatabase(pool, settings, recordingLog());
    const other = storage === 'partitions' ? TIMESCALE : NATIVE;
    await expect(prepareDatabase(pool, other, recordingLog())).rejects.toMatchObject({
      name: 'SchemaError',
      problem: 'storage differs',
    });
  });
});

describe('prepareDatabase', () => {
  it('says that it waits for another instance, and ends with the reason of the signal', async () => {
    const { pool, url } = await openDatabase();
    const log = recordingLog();
    const abort = new AbortController();
    await withSchemaLock(openPool(url).pool, { onWait: () => undefined }, async () => {
      const waiting = prepareDatabase(pool, NATIVE, log, { signal: abort.signal });
      await eventually(() => log.lines.length > 0);
      abort.abort(new Error('stopping'));
      await expect(waiting).rejects.toThrow('stopping');
    });
    expect(log.lines).toMatchObject([{ message: 'another instance is preparing the database; waiting for it' }]);
  });

  it('refuses a database that is not encoded in UTF8', async () => {
    const { pool, url } = await openDatabase();
    const name = `latin_${Math.random().toString(36).slice(2)}`;
    await pool.query(`create database ${name} template template0 encoding 'LATIN1' locale 'C'`);
    onTestFinished(async () => {
      await openPool(url).pool.query(`drop database ${name} with (force)`);
    });
    const { pool: latin } = openPool(url.replace(/[^/]*$/, name));
    await expect(prepareDatabase(latin, NATIVE, recordingLog())).rejects.toMatchObject({
      problem: 'server unsuitable',
      message: 'the encoding of the database must be UTF8, not LATIN1',
    });
  });

  it('refuses overlapping memberships of a group and takes those that follow each other', async () => {
    const { pool } = await openDatabase();
    await prepareDatabase(pool, NATIVE, recordingLog());
    await pool.query('insert into devices (unique_id) values (\'356307042441013\')');
    await pool.query('insert into groups (name) values (\'north\'), (\'south\')');
    const member = (group: string, from: string, to: string | null): Promise<unknown> =>
      pool.query(
        'insert into group_devices select g.id, d.id, $2::timestamptz, $3::timestamptz from groups g, devices d where g.name = $1',
        [group, from, to],
      );
    await member('north', '2026-01-01', '2026-02-01');
    await member('north', '2026-02-01', null);
    await member('south', '2026-01-15', null);
    await expect(member('north', '2026-03-01', null)).rejects.toMatchObject({ code: '23P01' });
    await expect(member('north', '2025-12-01', '2026-01-02')).rejects.toMatchObject({ code: '23P01' });
    await expect(member('north', '2025-03-01', '2025-02-01')).rejects.toMatchObject({ code: /^(22000|23514)$/ });
  });
});

/** A user who may make tables in `public` and nothing else. */
async function limitedUser(pool: Pool, url: string): Promise<string> {
  const user = `limited_${Math.random().toString(36).slice(2)}`;
  await pool.query(`create role ${user} login password 'limited'; grant create on schema public to ${user}`);
  onTestFinished(async () => {
    await openPool(url).pool.query(`drop owned by ${user} cascade; drop role ${user}`);
  });
  const target = new URL(url);
  target.username = user;
  target.password = 'limited';
  return target.href;
}

describe.runIf(timescaledb)('TimescaleDB that is offered and cannot be had', () => {
  it('is a warning under auto and an error under timescaledb, where the user may not create it', async () => {
    const { pool, url } = await openDatabase();
    const { pool: limited } = openPool(await limitedUser(pool, url));
    await expect(prepareDatabase(limited, TIMESCALE, recordingLog())).rejects.toMatchObject({
      problem: 'storage unavailable',
      message: expect.stringContaining('permission denied') as string,
    });
    const log = recordingLog();
    expect(await prepareDatabase(limited, SCHEMA_SETTINGS, log)).toEqual({ storage: 'partitions' });
    expect(log.lines[0]).toMatchObject({ level: 'warn', message: expect.stringContaining('permission denied') as string });
  });

  it('is used by a user who may not create it, once somebody has', async () => {
    const { pool, url } = await openDatabase();
    await pool.query('create extension timescaledb');
    const { pool: limited } = openPool(await limitedUser(pool, url));
    const log = recordingLog();
    expect(await prepareDatabase(limited, SCHEMA_SETTINGS, log)).toEqual({ storage: 'timescaledb' });
    expect(log.lines.filter(({ level }) => level === 'warn')).toEqual([]);
  });

  it('is a warning under auto where the server has not preloaded it', async () => {
    const server = await startPrivatePostgres({ shared_preload_libraries: '' });
    onTestFinished(() => server.stop());
    const log = recordingLog();
    const { pool } = openPool(server.url);
    expect(await prepareDatabase(pool, SCHEMA_SETTINGS, log)).toEqual({ storage: 'partitions' });
    expect(log.lines[0]).toMatchObject({ level: 'warn', message: expect.stringContaining('preloaded') as string });
  });
});

describe.runIf(!timescaledb)('a server without TimescaleDB', () => {
  it('is native partitions under auto and an error under timescaledb', async () => {
    const { pool } = await openDatabase();
    await expect(prepareDatabase(pool, TIMESCALE, recordingLog())).rejects.toMatchObject({ problem: 'storage unavailable' });
    expect(await prepareDatabase(pool, SCHEMA_SETTINGS, recordingLog())).toEqual({ storage: 'partitions' });
  });
});
