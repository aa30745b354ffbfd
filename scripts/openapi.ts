/**
 * `docs/openapi.json`: the document that a process with every route serves, made without a server: what it would read
 * and write is composed and never connected.
 */
import { pino } from 'pino';
import { compose } from '../src/composition/system.ts';
import { loadSettings } from '../src/config/load.ts';
import { Registry } from '../src/observability/metrics/registry.ts';

const NOWHERE = { redisUrl: 'redis://127.0.0.1:1', postgresUrl: 'postgres://127.0.0.1:1/none', embedded: null, token: null };

export async function openApiDocument(): Promise<string> {
  const settings = loadSettings({ ROLES: 'ingest,query' });
  const system = compose({ settings, servers: NOWHERE, registry: new Registry(), log: pino({ level: 'silent' }) });
  try {
    if (system.api === null) throw new Error('the roles ingest and query have an HTTP API');
    const { document } = await system.api.described();
    return `${JSON.stringify(document, null, 2)}\n`;
  } finally {
    await system.stop();
  }
}
