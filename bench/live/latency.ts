/**
 * The whole system on this machine: a thousand simulated trackers with a record a second each, ingest, the processor
 * and the live server in one process, and five hundred viewers, each of a group of a hundred devices. Then the same
 * with one more viewer, of everything, that stops reading.
 */
import { Client } from 'pg';
import { fleetImeis } from '../../src/simulator/imei.ts';
import { total } from '../../src/shared/metrics-text.ts';
import { pause } from '../../src/shared/wait.ts';
import type { Benchmark, BenchOptions, Outcome } from '../benchmark.ts';
import { createBenchDatabase } from '../support/database.ts';
import { readMetrics } from '../support/metrics.ts';
import type { System } from '../support/system.ts';
import { startFleet, startSystem } from '../support/system.ts';
import { cpuSeconds, residentBytes } from '../support/usage.ts';
import { TOKEN } from './in-process.ts';
import { Viewers } from './viewers.ts';
import type { ViewersAnswer } from './viewers-protocol.ts';

const DEVICES = 1_000;
const VIEWERS = 500;
const GROUPS = 10;
const SLOW_TIMEOUT_MS = 5_000;
const MIB = 1024 * 1024;

const never = new AbortController().signal;

/** @returns the ids of groups that have an equal share of the devices each */
async function createGroups(postgresUrl: string, devices: readonly string[]): Promise<string[]> {
  const client = new Client({ connectionString: postgresUrl });
  await client.connect();
  const ids: string[] = [];
  for (let group = 0; group < GROUPS; group += 1) {
    const { rows } = await client.query<{ id: string }>('insert into groups (name) values ($1) returning id', [`group ${group}`]);
    const id = rows[0]?.id ?? '';
    const members = devices.filter((_, n) => n % GROUPS === group);
    await client.query('insert into group_devices (group_id, device_id) select $1, id from devices where unique_id = any($2)', [id, members]);
    ids.push(id);
  }
  await client.end();
  return ids;
}

interface Phase {
  readonly answer: ViewersAnswer;
  readonly cpuCores: number;
  readonly residentMiB: number;
}

async function phase(viewers: Viewers, { program }: System, seconds: number): Promise<Phase> {
  await viewers.ask({ type: 'reset', timing: true });
  const cpu = await cpuSeconds(program.pid);
  await pause(seconds * 1_000, never);
  const answer = await viewers.ask({ type: 'report' });
  const cpuCores = ((await cpuSeconds(program.pid)) - cpu) / seconds;
  return { answer, cpuCores, residentMiB: (await residentBytes(program.pid)) / MIB };
}

const latencyOf = ({ answer }: Phase, which: 0 | 1 | 2): number => answer.latencyMs?.[which] ?? Number.NaN;

/** Of viewers that did not read, as the server counts them: such a viewer may never see the code. */
async function slowCloses(system: System): Promise<number> {
  return total(await readMetrics(system), 'processor_live_closes_total', { code: '4490' });
}

async function run({ servers, quick, say }: BenchOptions): Promise<Outcome> {
  const devices = fleetImeis(1, DEVICES, '35630700');
  const postgresUrl = await createBenchDatabase(servers, devices);
  const groups = await createGroups(postgresUrl, devices);
  const system = await startSystem({
    REDIS_URL: servers.redis.url, POSTGRES_URL: postgresUrl, AUTH_TOKEN: TOKEN,
    LIVE_WS_SLOW_CLIENT_TIMEOUT_MS: String(SLOW_TIMEOUT_MS),
  });
  const fleet = startFleet(system, DEVICES);
  const viewers = new Viewers();
  const plans = Array.from({ length: VIEWERS }, (_, n) => ({ token: TOKEN, topics: [`group:${groups[n % GROUPS] ?? ''}`] }));
  await viewers.ask({ type: 'open', url: system.liveUrl, plans, perSecond: 500 });
  const seconds = quick ? 5 : 20;
  await pause(seconds * 500, never);
  say('  500 viewers that read');
  const rounds: Phase[] = [];
  for (let round = 0; round < (quick ? 1 : 3); round += 1) rounds.push(await phase(viewers, system, seconds));
  say('  and one that stops reading');
  await viewers.ask({ type: 'open', url: system.liveUrl, plans: [{ token: TOKEN, topics: ['*'] }], perSecond: 1 });
  await viewers.ask({ type: 'stopReading', index: VIEWERS });
  const slow = [await phase(viewers, system, seconds), await phase(viewers, system, seconds)];
  await pause(SLOW_TIMEOUT_MS, never);
  const closed = await slowCloses(system);
  viewers.stop();
  await fleet.stop();
  await system.program.stop();
  const spread = (phases: readonly Phase[], which: 0 | 1 | 2): number[] => phases.map((one) => latencyOf(one, which));
  return {
    figures: [
      { name: 'positions delivered', unit: '/s', values: rounds.map(({ answer }) => (answer.positions ?? 0) / seconds) },
      { name: 'receipt to viewer, p50', unit: 'ms', values: spread(rounds, 0) },
      { name: 'receipt to viewer, p99', unit: 'ms', values: spread(rounds, 1) },
      { name: 'receipt to viewer, most', unit: 'ms', values: spread(rounds, 2) },
      { name: 'CPU of the system', unit: 'cores', values: rounds.map(({ cpuCores }) => cpuCores) },
      { name: 'resident memory of the system', unit: 'MiB', values: rounds.map(({ residentMiB }) => residentMiB) },
      { name: 'with one that stops reading: the others, p99', unit: 'ms', values: spread(slow, 1) },
      { name: 'with one that stops reading: resident memory', unit: 'MiB', values: slow.map(({ residentMiB }) => residentMiB) },
    ],
    notes: [`viewers closed with 4490, being too slow: ${closed}`],
  };
}

export const latency: Benchmark = {
  name: 'live-latency',
  what: '1,000 trackers at 1 record/s, 500 viewers of 100 devices each, core writing beside (goals: p50 10 ms, p99 50 ms)',
  run,
};
