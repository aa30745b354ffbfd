/**
 * Five thousand viewers of five thousand users, each of a group of a hundred devices, authorised by a real Directus:
 * what a connection costs in memory; all of them cut off and back within ten seconds; and the same with a live server
 * that was restarted and knows nobody.
 */
import { DirectusAdmin } from '../../test/directus/support/admin.ts';
import { insertUsers } from '../../test/directus/support/fleet-sql.ts';
import { startDirectusIn } from '../../test/directus/support/process.ts';
import { seedFleet } from '../../test/directus/support/seed.ts';
import { total } from '../../src/shared/metrics-text.ts';
import { pause } from '../../src/shared/wait.ts';
import type { Benchmark, BenchOptions, Outcome } from '../benchmark.ts';
import { createBenchDatabase } from '../support/database.ts';
import { readMetrics } from '../support/metrics.ts';
import { quantile } from '../support/statistics.ts';
import type { System } from '../support/system.ts';
import { startSystem } from '../support/system.ts';
import { residentBytes } from '../support/usage.ts';
import { Viewers } from './viewers.ts';
import type { Plan, ViewersAnswer } from './viewers-protocol.ts';

const DEVICES_OF_A_GROUP = 100;
const STORM_SECONDS = 10;
const SETTLE_MS = 60_000;
const KIB = 1024;

const never = new AbortController().signal;

async function directusRequests(system: System): Promise<number> {
  const samples = await readMetrics(system);
  const name = 'processor_live_directus_request_duration_seconds_count';
  return total(samples, name) - total(samples, name, { result: 'turned_away' });
}

interface Storm {
  readonly requests: number;
  readonly p50Ms: number;
  readonly longestMs: number;
  readonly retries: number;
}

async function storm(system: System, viewers: Viewers, plans: readonly Plan[], perSecond: number): Promise<Storm> {
  const before = await directusRequests(system);
  const { waitsMs = [], retries = 0 }: ViewersAnswer = await viewers.ask({ type: 'open', url: system.liveUrl, plans, perSecond });
  const sorted = waitsMs.filter((wait) => !Number.isNaN(wait)).sort((a, b) => a - b);
  const requests = (await directusRequests(system)) - before;
  return { requests, p50Ms: quantile(sorted, 0.5), longestMs: sorted.at(-1) ?? Number.NaN, retries };
}

/** What each further connection adds, once a fifth of them have been there for a minute. */
async function memoryPerConnection(system: System, viewers: Viewers, plans: readonly Plan[]): Promise<number> {
  const { pid } = system.program;
  const first = plans.length / 5;
  const open = async (some: readonly Plan[]): Promise<number> => {
    await viewers.ask({ type: 'open', url: system.liveUrl, plans: some, perSecond: 100 });
    await pause(SETTLE_MS, never);
    return await residentBytes(pid);
  };
  const before = await open(plans.slice(0, first));
  return ((await open(plans.slice(first))) - before) / (plans.length - first) / KIB;
}

async function run({ servers, quick, say }: BenchOptions): Promise<Outcome> {
  const count = quick ? 500 : 5_000;
  const postgresUrl = await createBenchDatabase(servers, []);
  const directus = await startDirectusIn(servers.folder, { postgresUrl });
  const fleet = await seedFleet(new DirectusAdmin(directus.url), postgresUrl, { perGroup: DEVICES_OF_A_GROUP });
  const users = await insertUsers(postgresUrl, count, { role: fleet.roles.fleet, fleet: fleet.groups.north });
  const plans = users.map(({ token }) => ({ token, topics: [`group:${fleet.groups.north}`] }));
  const settings = {
    REDIS_URL: servers.redis.url, POSTGRES_URL: postgresUrl, ROLES: 'live', AUTH_PROVIDER: 'directus',
    DIRECTUS_BASE_URL: directus.url, DIRECTUS_SERVICE_TOKEN: fleet.users.service.token,
  };
  let system = await startSystem(settings);
  const viewers = new Viewers();
  say(`  ${count} viewers of a few users sign in, 100 a second`);
  const few = plans.map((_, n) => plans[n % 50] ?? plans[0]) as Plan[];
  const kibOfFew = await memoryPerConnection(system, viewers, few);
  await viewers.ask({ type: 'closeAll' });
  await system.program.stop();
  system = await startSystem(settings);
  say('  and every viewer another user');
  const kibOfMany = await memoryPerConnection(system, viewers, plans);
  const perSecond = count / STORM_SECONDS;
  say('  all of them are cut off, and back within ten seconds');
  await viewers.ask({ type: 'closeAll' });
  const warm = await storm(system, viewers, plans, perSecond);
  say('  the live server is restarted, and knows nobody; many viewers of one user each');
  await viewers.ask({ type: 'closeAll' });
  await system.program.stop();
  system = await startSystem(settings);
  const shared = plans.map((_, n) => plans[n % Math.ceil(count / 20)] ?? plans[0]) as Plan[];
  const wallboards = await storm(system, viewers, shared, perSecond);
  say('  and again, every viewer another user');
  await viewers.ask({ type: 'closeAll' });
  await system.program.stop();
  system = await startSystem(settings);
  const cold = await storm(system, viewers, plans, perSecond);
  viewers.stop();
  await system.program.stop();
  await directus.stop();
  const figures = ([['cut off and back', warm], ['restarted, 20 viewers a user', wallboards], ['restarted, 1 viewer a user', cold]] as const)
    .flatMap(([name, { requests, p50Ms, longestMs, retries }]) => [
      { name: `${name}: requests to Directus`, unit: '', values: [requests] },
      { name: `${name}: connecting to snapshot, p50`, unit: 'ms', values: [p50Ms] },
      { name: `${name}: connecting to snapshot, longest`, unit: 'ms', values: [longestMs] },
      { name: `${name}: attempts made again`, unit: '', values: [retries] },
    ]);
  const memory = ([['of 50 users', kibOfFew], ['of as many users', kibOfMany]] as const)
    .map(([whose, kib]) => ({ name: `resident memory per further connection, ${whose}`, unit: 'KiB', values: [kib] }));
  return { figures: [...memory, ...figures] };
}

export const connections: Benchmark = {
  name: 'live-connections',
  what: '5,000 viewers over a real Directus (goals: 20 KiB each; nobody waits over 5 s in a storm)',
  run,
};
