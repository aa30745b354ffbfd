/**
 * Reads what the database has of a tracker. Rows come in slices of time, so that memory stays bounded however long the
 * run was. Whatever goes wrong with the database is thrown.
 */
import type { Pool } from 'pg';
import { createPool } from '../db/pool.ts';
import type { StoredRow } from './comparison.ts';

const CONNECTIONS = 4;
const STATEMENT_TIMEOUT_MS = 60_000;

export class StoredPositions {
  readonly #pool: Pool;

  /** @param onError a connection that was lost; the statement on it fails by itself. */
  constructor(postgresUrl: string, onError: (error: Error) => void) {
    const settings = {
      POSTGRES_POOL_SIZE: CONNECTIONS,
      POSTGRES_STATEMENT_TIMEOUT_MS: STATEMENT_TIMEOUT_MS,
      INSTANCE_ID: String(process.pid),
    };
    this.#pool = createPool(settings, postgresUrl, 'simulator', onError);
  }

  /** Throws where the database cannot be asked about devices and positions. */
  async check(): Promise<void> {
    await this.#pool.query('select 1 from devices cross join positions limit 1');
  }

  /** The id of each of these devices that is stored. */
  async deviceIds(uniqueIds: readonly string[]): Promise<ReadonlyMap<string, string>> {
    const { rows } = await this.#pool.query<{ unique_id: string; id: string }>(
      'select unique_id, id::text as id from devices where unique_id = any($1::text[])', [uniqueIds],
    );
    return new Map(rows.map(({ unique_id: uniqueId, id }) => [uniqueId, id]));
  }

  /** Rows of a device with `from <= ts < until` (epoch milliseconds), ordered by time and event id. */
  async rows(deviceId: string, from: number, until: number): Promise<readonly StoredRow[]> {
    const { rows } = await this.#pool.query<StoredRow>(
      `select (extract(epoch from ts) * 1000)::float8 as "ts", event_id as "eventId", latitude, longitude, speed,
              (extract(epoch from received_at) * 1000)::float8 as "receivedAt"
       from positions
       where device_id = $1 and ts >= $2 and ts < $3
       order by ts, event_id`,
      [deviceId, new Date(from).toISOString(), new Date(until).toISOString()],
    );
    return rows;
  }

  async close(): Promise<void> {
    await this.#pool.end();
  }
}
