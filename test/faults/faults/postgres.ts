/** PostgreSQL that ends, hangs, or refuses. */
import { Client } from 'pg';
import { eventually } from '../../support/eventually.ts';
import type { Fault } from '../fault.ts';
import { elsewhere } from '../world/elsewhere.ts';
import type { World } from '../world/world.ts';
import { diskFull } from './disk.ts';
import { freeze, kill, restart } from './servers.ts';

const impairs = ['core'] as const;
const MAX_CONNECTIONS = 24;

const SESSIONS = `
  select pid from pg_stat_activity where application_name like 'odograph%' and backend_type = 'client backend'`;
const END_SESSIONS = `select pg_terminate_backend(pid) from (${SESSIONS}) as sessions`;

async function refuseConnections(world: World): Promise<void> {
  await elsewhere(world.postgres.url, async (client) => {
    await world.outage(async () => {
      await client.query('alter database odograph allow_connections false');
      await client.query(END_SESSIONS);
      await world.hold(12_000, 14_000);
      await client.query('alter database odograph allow_connections true');
    });
  });
}

/** As many as there are left. */
async function takeConnections(world: World): Promise<Client[]> {
  const clients = Array.from({ length: MAX_CONNECTIONS }, () => {
    const client = new Client({ connectionString: world.postgres.url, application_name: 'observer' });
    client.on('error', () => undefined);
    return client;
  });
  const outcomes = await Promise.allSettled(clients.map((client) => client.connect()));
  return clients.filter((_, index) => outcomes[index]?.status === 'fulfilled');
}

/** A session that logs in has a connection already, and no name yet. */
const QUIET_ROUNDS = 10;

/** Until there is none left for a while, also none of those that sessions under way to their end have given back. */
async function takeAllConnections(world: World, client: Client): Promise<Client[]> {
  const taken: Client[] = [];
  let quiet = 0;
  await eventually(async () => {
    const { rowCount: ended } = await client.query(END_SESSIONS);
    const more = await takeConnections(world);
    taken.push(...more);
    quiet = ended === 0 && more.length === 0 ? quiet + 1 : 0;
    await world.hold(50, 50);
    return quiet >= QUIET_ROUNDS;
  }, { timeoutMs: 30_000 });
  return taken;
}

/** Takes every connection that there is, as a program that leaks them does. */
async function useUpConnections(world: World): Promise<void> {
  await elsewhere(world.postgres.url, async (client) => {
    const taken = await takeAllConnections(world, client);
    await world.outage(async () => {
      await world.hold(12_000, 14_000);
      await Promise.all(taken.map((one) => one.end()));
    });
  });
}

async function makeReadOnly(world: World): Promise<void> {
  await elsewhere(world.postgres.url, async (client) => {
    await world.outage(async () => {
      await client.query('alter system set default_transaction_read_only = on');
      await client.query('select pg_reload_conf()');
      await world.hold(12_000, 14_000);
      await client.query('set default_transaction_read_only = off');
      await client.query('alter system reset default_transaction_read_only');
      await client.query('select pg_reload_conf()');
    });
  });
}

async function lockPositions(world: World): Promise<void> {
  const client = await world.pool.connect();
  await world.outage(async () => {
    await client.query('begin');
    await client.query('lock table positions in access exclusive mode');
    await world.hold(30_000, 30_000);
    await client.query('rollback');
  });
  client.release();
}

async function endSessions(world: World): Promise<void> {
  const rounds = world.random.integer(3, 6);
  for (let round = 0; round < rounds; round += 1) {
    await world.pool.query(END_SESSIONS);
    await world.hold(50, 500);
  }
}

export const postgresFaults: readonly Fault[] = [
  {
    name: 'PostgreSQL: SIGKILL', what: 'recovers from its log; started again up to 3 s later',
    times: { short: 3, long: 5 }, impairs, inject: kill('postgres'),
  },
  {
    name: 'PostgreSQL: restart', what: 'stopped in its orderly way, started again up to 3 s later',
    times: { short: 2, long: 4 }, impairs, inject: restart('postgres'),
  },
  {
    name: 'PostgreSQL: SIGSTOP for 20 s', what: 'all its processes: connections stay, nothing answers',
    times: { short: 1, long: 3 }, impairs, inject: freeze('postgres'),
  },
  {
    name: 'PostgreSQL: sessions ended', what: '`pg_terminate_backend` of every session, several times in a row',
    times: { short: 3, long: 5 }, impairs: [], inject: endSessions,
  },
  {
    name: 'PostgreSQL: refuses connections', what: '`allow_connections false`, sessions ended',
    times: { short: 2, long: 4 }, impairs, inject: refuseConnections,
  },
  {
    name: 'PostgreSQL: out of connections', what: 'somebody else has taken all of them',
    postgres: { max_connections: String(MAX_CONNECTIONS) },
    times: { short: 2, long: 4 }, impairs, inject: useUpConnections,
  },
  {
    name: 'PostgreSQL: read-only', what: '`default_transaction_read_only`, as in the middle of a failover',
    times: { short: 2, long: 4 }, impairs, inject: makeReadOnly,
  },
  {
    name: 'PostgreSQL: disk full', what: 'the tablespace of the database has no room left',
    times: { short: 2, long: 4 }, impairs, ...diskFull,
  },
  {
    name: 'PostgreSQL: positions locked for 30 s', what: '`lock table positions in access exclusive mode`',
    times: { short: 1, long: 2 }, impairs, inject: lockPositions,
  },
];
