/** What most suites want: Odograph's tables in a database of their own, Directus on them, a fleet and its users. */
import { createPool } from '../../../src/db/pool.ts';
import { prepareDatabase } from '../../../src/db/schema.ts';
import { POOL_SETTINGS, SCHEMA_SETTINGS } from '../../db/fixture.ts';
import { createDatabase } from '../../support/database.ts';
import type { PrivateServer } from '../../support/private-server.ts';
import { DirectusAdmin } from './admin.ts';
import type { SeededFleet } from './seed.ts';
import { seedFleet } from './seed.ts';
import { startDirectus } from './server.ts';

export interface SeededDirectus {
  /** After `again`: put the new one here, for `stop`. */
  directus: PrivateServer;
  readonly admin: DirectusAdmin;
  readonly fleet: SeededFleet;
  readonly postgresUrl: string;
  /** Ends Directus and drops the database. */
  stop(): Promise<void>;
}

export interface SeedOptions {
  /** Settings of Directus, above those that tests run with. */
  readonly env?: Readonly<Record<string, string>>;
  /** Trackers in each of the two groups. */
  readonly perGroup?: number;
}

/** An empty database with the tables of this version of Odograph. */
export async function createOdographDatabase(): Promise<{ url: string; drop(): Promise<void> }> {
  const database = await createDatabase();
  const pool = createPool(POOL_SETTINGS, database.url, 'test', () => undefined);
  try {
    await prepareDatabase(pool, SCHEMA_SETTINGS, { info: () => undefined, warn: () => undefined });
  } finally {
    await pool.end();
  }
  return database;
}

/** One that cannot be seeded is stopped. */
async function seed(
  directus: PrivateServer,
  admin: DirectusAdmin,
  postgresUrl: string,
  perGroup: number,
): Promise<SeededFleet> {
  try {
    return await seedFleet(admin, postgresUrl, { perGroup });
  } catch (error) {
    await directus.stop();
    throw error;
  }
}

/** In about seven seconds. Stop it in the end. */
export async function startSeededDirectus({ env = {}, perGroup = 5 }: SeedOptions = {}): Promise<SeededDirectus> {
  const { url, drop } = await createOdographDatabase();
  const directus = await startDirectus({ postgresUrl: url, env });
  const admin = new DirectusAdmin(directus.url);
  const fleet = await seed(directus, admin, url, perGroup);
  const seeded: SeededDirectus = {
    directus,
    admin,
    fleet,
    postgresUrl: url,
    stop: async () => {
      await seeded.directus.stop();
      await drop();
    },
  };
  return seeded;
}
