import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import type { Pool } from 'pg';
import { from as copyFrom } from 'pg-copy-streams';
import { describe, expect, inject, it, onTestFinished } from 'vitest';
import { maintainPartitions } from '../../src/db/partitions.ts';
import { prepareDatabase } from '../../src/db/schema.ts';
import { startPrivatePostgres } from '../support/database.ts';
import { eventually } from '../support/eventually.ts';
import { insertRecord, openDatabase, openPool, recordingLog, TIMESCALE, value } from './fixture.ts';

/** Compression is for the test to start: no job of TimescaleDB's scheduler comes in between. */
const NO_JOBS = { ...TIMESCALE, POSITIONS_COMPRESS_AFTER_DAYS: 0 };

interface Job {
  readonly proc_name: string;
  readonly config: Record<string, unknown>;
  readonly job_id: number;
}

async function jobs(pool: Pool): Promise<Job[]> {
  const result = await pool.query<Job>(
    'select proc_name, config, job_id from timescaledb_information.jobs where hypertable_name = \'positions\' order by 1',
  );
  return result.rows;
}

/** Runs a job until `sql` is true; TimescaleDB's scheduler may be running it at the same time. */
async function runJob(pool: Pool, name: string, sql: string): Promise<void> {
  const job = (await jobs(pool)).find(({ proc_name: procedure }) => procedure === name);
  await eventually(async () => {
    await pool.query(`call run_job(${job?.job_id ?? 0})`);
    return (await value(pool, sql)) === true;
  });
}

/** 1,000 records of each device on one day, a minute apart, in a compressed chunk. */
async function compressedDay(pool: Pool, devices = 20): Promise<void> {
  await pool.query(
    `insert into positions (device_id, ts, received_at, valid)
     select device, timestamptz '2026-01-01 00:00+00' + n * interval '1 min', now(), false
     from generate_series(1, $1) device, generate_series(0, 999) n`,
    [devices],
  );
  await pool.query('select compress_chunk(chunk) from show_chunks(\'positions\') as chunk');
  expect(await value(pool, 'select bool_and(is_compressed) from timescaledb_information.chunks')).toBe(true);
}

/** The columns that `copy` gets, tab-separated. */
async function copy(pool: Pool, rows: readonly string[]): Promise<void> {
  const client = await pool.connect();
  try {
    const stream = client.query(copyFrom('copy positions (device_id, ts, received_at, valid) from stdin'));
    await pipeline(Readable.from(rows.map((row) => `${row}\t2026-11-20 00:00+00\tt\n`)), stream);
  } finally {
    client.release();
  }
}

describe.runIf(inject('servers').timescaledb)('policies', () => {
  it('follow the settings, and disappear at 0', async () => {
    const { pool } = await openDatabase();
    const log = recordingLog();
    const apply = (compress: number, retention: number): Promise<unknown> =>
      prepareDatabase(
        pool,
        { ...TIMESCALE, POSITIONS_COMPRESS_AFTER_DAYS: compress, POSITIONS_RETENTION_DAYS: retention },
        log,
      );
    await apply(7, 0);
    expect(await jobs(pool)).toMatchObject([{ proc_name: 'policy_compression', config: { compress_after: '7 days' } }]);
    await apply(3, 90);
    expect(await jobs(pool)).toMatchObject([
      { proc_name: 'policy_compression', config: { compress_after: '3 days' } },
      { proc_name: 'policy_retention', config: { drop_after: '90 days' } },
    ]);
    await apply(0, 0);
    expect(await jobs(pool)).toEqual([]);
  });

  it('are left alone when they agree, with their schedule and statistics', async () => {
    const { pool } = await openDatabase();
    const settings = { ...TIMESCALE, POSITIONS_RETENTION_DAYS: 30 };
    await prepareDatabase(pool, settings, recordingLog());
    const before = await jobs(pool);
    const log = recordingLog();
    await prepareDatabase(pool, settings, log);
    expect(await jobs(pool)).toEqual(before);
    expect(log.lines).toEqual([]);
  });

  it('drop chunks as the jobs of TimescaleDB', async () => {
    const { pool } = await openDatabase();
    const settings = { ...TIMESCALE, POSITIONS_RETENTION_DAYS: 30 };
    await prepareDatabase(pool, settings, recordingLog());
    await insertRecord(pool, '1970-01-01 00:00:00+00');
    await insertRecord(pool, new Date().toISOString());
    expect(await maintainPartitions(pool, settings, Date.now())).toMatchObject({ created: [], dropped: [] });
    await runJob(pool, 'policy_retention', 'select count(*) = 1 from positions');
  });

  it('compress by device, in the order of time, with one-day chunks', async () => {
    const { pool } = await openDatabase();
    await prepareDatabase(pool, TIMESCALE, recordingLog());
    for (const ts of ['2026-01-01 00:00+00', '2026-01-01 23:59+00', '2026-01-02 00:00+00']) await insertRecord(pool, ts);
    expect(await value(pool, 'select count(*) from timescaledb_information.chunks')).toBe(2);
    const compressed = 'select bool_and(is_compressed) from timescaledb_information.chunks';
    await runJob(pool, 'policy_compression', compressed);
  });
});

describe.runIf(inject('servers').timescaledb)('a compressed chunk', () => {
  const lateRow = `insert into positions (device_id, ts, received_at, valid)
    select device, timestamptz '2026-01-01 00:00:30+00' + n * interval '1 min', now(), false
    from generate_series(1, 20) device, generate_series(0, 99) n`;

  it('takes late records, and takes them once', async () => {
    const { pool } = await openDatabase();
    await prepareDatabase(pool, NO_JOBS, recordingLog());
    await compressedDay(pool);
    expect((await pool.query(lateRow)).rowCount).toBe(2_000);
    await expect(pool.query(lateRow)).rejects.toMatchObject({ code: '23505' });
    expect((await pool.query(`${lateRow} on conflict do nothing`)).rowCount).toBe(0);
    expect(await value(pool, 'select count(*) from positions')).toBe(22_000);
  });

  it('takes new records beside those that it has already, ON CONFLICT DO NOTHING', async () => {
    const { pool } = await openDatabase();
    await prepareDatabase(pool, NO_JOBS, recordingLog());
    await compressedDay(pool);
    const overlapping = `insert into positions (device_id, ts, received_at, valid)
      select device, timestamptz '2026-01-01 16:00+00' + n * interval '1 min', now(), false
      from generate_series(1, 21) device, generate_series(0, 99) n on conflict do nothing`;
    expect((await pool.query(overlapping)).rowCount).toBe(20 * 60 + 100);
    expect((await pool.query(overlapping)).rowCount).toBe(0);
  });

  it('takes a COPY, and refuses a row in it that is there already', async () => {
    const { pool } = await openDatabase();
    await prepareDatabase(pool, NO_JOBS, recordingLog());
    await compressedDay(pool);
    await copy(pool, ['1\t2026-01-01 00:00:15+00', '21\t2026-01-01 00:00:00+00']);
    expect(await value(pool, 'select count(*) from positions')).toBe(20_002);
    const compressedDuplicate = ['1\t2026-01-01 00:00:45+00', '2\t2026-01-01 10:00:00+00'];
    await expect(copy(pool, compressedDuplicate)).rejects.toMatchObject({ code: '23505' });
    await expect(copy(pool, ['1\t2026-01-01 00:00:15+00'])).rejects.toMatchObject({ code: '23505' });
    expect(await value(pool, 'select count(*) from positions')).toBe(20_002);
  });

  it('may be updated beyond the 100,000 rows that TimescaleDB decompresses by default', async () => {
    const { pool } = await openDatabase();
    await prepareDatabase(pool, NO_JOBS, recordingLog());
    await compressedDay(pool, 101);
    expect((await pool.query('update positions set valid = true')).rowCount).toBe(101_000);
  });
});

describe.runIf(inject('servers').timescaledb)('TimescaleDB under its Apache licence', () => {
  it('keeps positions as a hypertable without compression, and retention is done by maintainPartitions', async () => {
    const server = await startPrivatePostgres({ 'timescaledb.license': 'apache' });
    onTestFinished(() => server.stop());
    const { pool } = openPool(server.url);
    const log = recordingLog();
    const settings = { ...TIMESCALE, POSITIONS_RETENTION_DAYS: 30 };
    expect(await prepareDatabase(pool, settings, log)).toEqual({ storage: 'timescaledb' });
    expect(log.lines.at(-1)).toMatchObject({ level: 'warn', message: expect.stringContaining('Apache') as string });
    await insertRecord(pool, '1970-01-01 00:00:00+00');
    await insertRecord(pool, new Date().toISOString());
    const maintenance = await maintainPartitions(pool, settings, Date.now());
    expect(maintenance?.dropped).toHaveLength(1);
    expect(await value(pool, 'select count(*) from positions')).toBe(1);
  });
});
