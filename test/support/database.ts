/** Databases for tests: a fresh one on the run's PostgreSQL, or a PostgreSQL of a suite's own. */
import { randomBytes } from 'node:crypto';
import { mkdtemp } from 'node:fs/promises';
import { join } from 'node:path';
import { Client } from 'pg';
import { inject } from 'vitest';
import type { Server } from '../../src/embedded/server.ts';
import { postgresForTests, startTestPostgres } from './local-servers.ts';
import type { PrivateServer } from './private-server.ts';
import { privateServer } from './private-server.ts';

async function administer(sql: string): Promise<void> {
  const client = new Client({ connectionString: inject('servers').postgresUrl });
  await client.connect();
  try {
    await client.query(sql);
  } finally {
    await client.end();
  }
}

/** An empty database on the run's PostgreSQL, without extensions. `drop` ends its connections. */
export async function createDatabase(): Promise<{ url: string; drop(): Promise<void> }> {
  const name = `suite_${randomBytes(8).toString('hex')}`;
  await administer(`CREATE DATABASE ${name} TEMPLATE template0`);
  const url = new URL(inject('servers').postgresUrl);
  url.pathname = `/${name}`;
  return { url: url.href, drop: () => administer(`DROP DATABASE ${name} WITH (FORCE)`) };
}

/** A PostgreSQL of the suite's own, to be stopped, killed, frozen or reconfigured. Stop it in the end. */
export async function startPrivatePostgres(settings: Readonly<Record<string, string>> = {}): Promise<PrivateServer> {
  const binaries = await postgresForTests();
  const dataDir = await mkdtemp(join(inject('servers').folder, 'postgres-'));
  const start = (port?: number): Promise<Server> =>
    startTestPostgres(binaries, { dataDir, settings, ...(port && { port }) });
  return await privateServer(start, dataDir);
}
