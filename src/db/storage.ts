/**
 * How positions is kept. Decided once, before the table is made; from then on the table itself is the memory of the
 * decision, and a setting that asks for the other kind is an error. TimescaleDB that is offered and cannot be had is a
 * warning where the choice is ours, and an error where it was asked for.
 */
import type { Pool, PoolClient } from 'pg';
import { errorMessage } from '../shared/errors.ts';
import type { Settings } from '../config/settings.ts';
import type { DatabaseLog } from './log.ts';
import type { Storage } from './migration-files.ts';
import { SchemaError } from './schema-error.ts';
import { classify } from './sqlstate.ts';

type Wanted = Settings['POSITIONS_STORAGE'];

/** The kind of storage that this database has; null before positions is made. */
export async function existingStorage(client: Pool | PoolClient): Promise<Storage | null> {
  const result = await client.query<{ partitioned: boolean }>(
    'select relkind = \'p\' as partitioned from pg_class where oid = to_regclass(\'positions\')',
  );
  const row = result.rows[0];
  if (row === undefined) return null;
  return row.partitioned ? 'partitions' : 'timescaledb';
}

/** Asked for and impossible is an error; otherwise the other kind serves. */
function withoutTimescale(wanted: Wanted, why: string, cause?: unknown): Storage {
  if (wanted !== 'timescaledb') return 'partitions';
  throw new SchemaError('storage unavailable', `POSITIONS_STORAGE=timescaledb: ${why}`, cause);
}

const NOT_OFFERED = 'this server does not offer the extension timescaledb; install it, or set POSITIONS_STORAGE=auto';

/**
 * Creates the extension on a connection of its own: a server that has its files and has not preloaded its library ends
 * the session that asks.
 */
async function createExtension(pool: Pool, wanted: Wanted, log: DatabaseLog): Promise<Storage> {
  try {
    await pool.query('create extension if not exists timescaledb');
    return 'timescaledb';
  } catch (error) {
    const why = `the server offers timescaledb, but it could not be created: ${errorMessage(error)}`;
    const storage = withoutTimescale(wanted, why, error);
    log.warn({ reason: classify(error).meaning }, `${why}; positions is kept in native partitions`);
    return storage;
  }
}

interface Offer {
  readonly installed: boolean;
}

async function newStorage(pool: Pool, client: PoolClient, wanted: Wanted, log: DatabaseLog): Promise<Storage> {
  if (wanted === 'partitions') return 'partitions';
  const result = await client.query<Offer>(
    'select installed_version is not null as installed from pg_available_extensions where name = \'timescaledb\'',
  );
  const offer = result.rows[0];
  if (offer === undefined) return withoutTimescale(wanted, NOT_OFFERED);
  return offer.installed ? 'timescaledb' : createExtension(pool, wanted, log);
}

/**
 * The storage that this database has or is to have; creates the extension that it needs.
 * @param client holds the schema lock
 * @throws SchemaError `storage differs`, `storage unavailable`
 */
export async function chooseStorage(
  pool: Pool,
  client: PoolClient,
  wanted: Wanted,
  log: DatabaseLog,
): Promise<Storage> {
  const existing = await existingStorage(client);
  if (existing === null) return newStorage(pool, client, wanted, log);
  if (wanted === 'auto' || wanted === existing) return existing;
  throw new SchemaError(
    'storage differs',
    `POSITIONS_STORAGE=${wanted}, but positions of this database is kept as ${existing}; use auto or ${existing}, or an empty database`,
  );
}
