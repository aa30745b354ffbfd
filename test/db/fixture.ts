/** A database of a test's own with a pool on it, both gone when the test has finished. */
import type { Pool } from 'pg';
import { onTestFinished } from 'vitest';
import type { DatabaseLog } from '../../src/db/log.ts';
import type { SchemaSettings } from '../../src/db/schema.ts';
import { createPool } from '../../src/db/pool.ts';
import { createDatabase } from '../support/database.ts';

export const POOL_SETTINGS = { POSTGRES_POOL_SIZE: 4, POSTGRES_STATEMENT_TIMEOUT_MS: 60_000, INSTANCE_ID: 'test' };

export const SCHEMA_SETTINGS: SchemaSettings = {
  POSITIONS_STORAGE: 'auto',
  POSITIONS_RETENTION_DAYS: 0,
  POSITIONS_COMPRESS_AFTER_DAYS: 7,
  POSITIONS_PARTITION_DAYS_AHEAD: 7,
  POSITIONS_PARTITION_DAYS_BEHIND: 31,
  ROLLUP_MINUTES_RETENTION_DAYS: 365,
  ROLLUP_HOURS_RETENTION_DAYS: 1_825,
};

export const NATIVE: SchemaSettings = { ...SCHEMA_SETTINGS, POSITIONS_STORAGE: 'partitions' };
export const TIMESCALE: SchemaSettings = { ...SCHEMA_SETTINGS, POSITIONS_STORAGE: 'timescaledb' };

/** What a pool reported through `onError`. */
export interface OpenPool {
  readonly pool: Pool;
  readonly errors: Error[];
}

export function openPool(url: string, settings: Partial<typeof POOL_SETTINGS> = {}): OpenPool {
  const errors: Error[] = [];
  const pool = createPool({ ...POOL_SETTINGS, ...settings }, url, 'test', (error) => errors.push(error));
  onTestFinished(() => pool.end());
  return { pool, errors };
}

export async function openDatabase(): Promise<OpenPool & { readonly url: string }> {
  const database = await createDatabase();
  onTestFinished(() => database.drop());
  return { ...openPool(database.url), url: database.url };
}

interface Line {
  readonly level: 'info' | 'warn';
  readonly fields: object;
  readonly message: string;
}

/** A log that keeps its lines. */
export function recordingLog(): DatabaseLog & { readonly lines: Line[] } {
  const lines: Line[] = [];
  const at = (level: Line['level']) => (fields: object, message: string) => {
    lines.push({ level, fields, message });
  };
  return { lines, info: at('info'), warn: at('warn') };
}

/** Stores one record of device 1 at a time in SQL. */
export async function insertRecord(pool: Pool, ts: string): Promise<void> {
  await pool.query('insert into positions (device_id, ts, received_at, valid) values (1, $1, now(), false)', [ts]);
}

/** The first value of the first row. */
export async function value(pool: Pool, sql: string, values: unknown[] = []): Promise<unknown> {
  const result = await pool.query<unknown[]>({ text: sql, values, rowMode: 'array' });
  return result.rows[0]?.[0];
}
