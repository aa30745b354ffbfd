/**
 * Odograph is started before its servers: it waits, says once what for, and is ready when they come. What stands at
 * their addresses meanwhile takes connections and ends them, and so counts the attempts.
 */
import { once } from 'node:events';
import type { Server } from 'node:net';
import { createServer } from 'node:net';
import { expect, onTestFinished, test } from 'vitest';
import { parseMetrics } from '../../src/shared/metrics-text.ts';
import { countPositions, freshDatabaseOn, openSite } from '../core/support.ts';
import { dataFrame, loggedIn } from '../ingest/tracker.ts';
import { startPrivatePostgres } from '../support/database.ts';
import { eventually } from '../support/eventually.ts';
import type { PrivateServer } from '../support/private-server.ts';
import { startPrivateRedis } from '../support/redis.ts';
import type { Odograph } from './support.ts';
import { startOdograph } from './support.ts';

/** Of three roles with Redis, which go on every two seconds at the slowest, and of one with PostgreSQL: every five. */
const ATTEMPTS = { redis: 12, postgres: 5 };
const REDIS_AWAY = ['auth', 'core', 'ingest', 'live', 'query'].map((role) => `${role}: Redis is away; waiting for it`);
const POSTGRES_AWAY = ['core: PostgreSQL: unreachable', 'query: the database of the role query: unreachable'];

interface Absent {
  /** Somebody has tried to reach the server often enough. */
  readonly isMissed: () => boolean;
  /** Starts the server at its address. */
  readonly come: () => Promise<void>;
}

/** Stops a server and takes its place. */
async function sendAway(server: PrivateServer, enough: number): Promise<Absent> {
  await server.stop();
  let attempts = 0;
  const placeholder: Server = createServer((socket) => {
    attempts += 1;
    socket.destroy();
  }).listen(server.port, '127.0.0.1');
  await once(placeholder, 'listening');
  const come = async (): Promise<void> => {
    placeholder.close();
    await once(placeholder, 'close');
    const again = await server.again();
    onTestFinished(() => again.stop());
  };
  return { isMissed: () => attempts >= enough, come };
}

/** What is logged at warn or above, as `role: message` up to the parenthesis with the cause. */
function complaints({ lines }: Odograph): string[] {
  const severe = lines.filter(({ level }) => ['warn', 'error', 'fatal'].includes(level));
  return severe.map(({ role, msg }) => `${role}: ${msg.split(' (')[0]}`).toSorted();
}

/** The checks of which the metric says that they fail. */
async function notReady(odograph: Odograph): Promise<string[]> {
  const checks = parseMetrics(await odograph.metrics()).filter(({ name }) => name === 'odograph_ready');
  return checks.filter(({ value }) => value === 0).map(({ labels }) => labels.get('check') ?? '').toSorted();
}

test.each([
  { away: 'Redis', missing: ['redis (core)', 'redis (ingest)', 'redis (live)', 'core', 'ingest', 'live'], said: REDIS_AWAY },
  { away: 'PostgreSQL', missing: ['postgres', 'core', 'postgres (query)', 'query'], said: POSTGRES_AWAY },
  {
    away: 'Redis and PostgreSQL',
    missing: ['redis (core)', 'redis (ingest)', 'redis (live)', 'postgres', 'core', 'ingest', 'live', 'postgres (query)', 'query'],
    said: [...POSTGRES_AWAY, ...REDIS_AWAY].toSorted(),
  },
])('$away away at the start: it says so once, and is ready when they come', async ({ away, missing, said }) => {
  const redis = await startPrivateRedis();
  const postgres = await startPrivatePostgres();
  const site = { redisUrl: redis.url, postgresUrl: await freshDatabaseOn(postgres.url) };
  const absent: Absent[] = [];
  if (away.includes('Redis')) absent.push(await sendAway(redis, ATTEMPTS.redis));
  else onTestFinished(() => redis.stop());
  if (away.includes('PostgreSQL')) absent.push(await sendAway(postgres, ATTEMPTS.postgres));
  else onTestFinished(() => postgres.stop());
  const odograph = await startOdograph({ REDIS_URL: site.redisUrl, POSTGRES_URL: site.postgresUrl, AUTH_TOKEN: 'a token of 16 or more' });

  await eventually(() => absent.every(({ isMissed }) => isMissed()));
  // What does not need the absent ones may still be starting.
  await eventually(async () => {
    const { status, checks } = await odograph.readiness();
    expect(status).toBe(503);
    expect(Object.keys(checks).filter((name) => checks[name] !== 'ok').toSorted()).toEqual(missing.toSorted());
  });
  expect(complaints(odograph)).toEqual(said);
  expect(await notReady(odograph)).toEqual(missing.toSorted());

  for (const { come } of absent) await come();
  await odograph.ready();
  expect(await notReady(odograph)).toEqual([]);
  expect(complaints(odograph)).toEqual(said);
  const tracker = await loggedIn(await odograph.trackerPort(), '356307042441013');
  tracker.send(dataFrame(10));
  expect(await tracker.acknowledgement()).toBe(10);
  const { pool } = await openSite(site);
  await eventually(async () => { expect(await countPositions(pool)).toBe(10); });
  expect(await odograph.end('SIGTERM')).toBe(0);
});
