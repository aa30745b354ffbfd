/**
 * A newer release beside an older one: a copy of the program that has one more migration. It migrates while the older
 * one writes, and nothing is lost or stored twice; whoever is late finds the database ready.
 */
import { cp, mkdtemp, symlink, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { beforeAll, expect, inject, test } from 'vitest';
import { parseMetrics, total } from '../../src/shared/metrics-text.ts';
import type { Site } from '../core/support.ts';
import { STORAGES, freshDatabase, openSite, value } from '../core/support.ts';
import { createRedis } from '../support/redis.ts';
import { eventually } from '../support/eventually.ts';
import { startFaultyLoad } from './simulator.ts';
import type { Environment, Odograph } from './support.ts';
import { MAIN, startOdograph } from './support.ts';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));
/** As CONTRIBUTING asks of a migration: the older version goes on writing beside it. */
const MIGRATION = {
  name: '9000-of-the-newer-release.sql',
  sql: `alter table positions add column note text;
create index positions_received_at on positions (received_at);
`,
};

let newer: string;

beforeAll(async () => {
  const folder = await mkdtemp(join(inject('servers').folder, 'newer-release-'));
  for (const part of ['src', 'migrations', 'package.json']) await cp(join(ROOT, part), join(folder, part), { recursive: true });
  await symlink(join(ROOT, 'node_modules'), join(folder, 'node_modules'));
  await writeFile(join(folder, 'migrations', MIGRATION.name), MIGRATION.sql);
  newer = join(folder, 'src', 'main.ts');
  expect(dirname(MAIN)).not.toBe(dirname(newer));
});

function settings({ redisUrl, postgresUrl }: Pick<Site, 'redisUrl' | 'postgresUrl'>, role: string, instance: string): Environment {
  return { REDIS_URL: redisUrl, POSTGRES_URL: postgresUrl, ROLES: role, INSTANCE_ID: instance };
}

/** Waits until the processor has stored so many more entries. */
async function works(core: Odograph, entries = 100): Promise<void> {
  const stored = async (): Promise<number> => total(parseMetrics(await core.metrics()), 'processor_acks_total');
  const before = await stored();
  await eventually(async () => (await stored()) >= before + entries, { timeoutMs: 20_000 });
}

function messages({ lines }: Odograph, ...levels: readonly string[]): string[] {
  return lines.filter(({ level }) => levels.includes(level)).map(({ msg }) => msg);
}

test.each(STORAGES)('a newer processor migrates while an older one writes: nothing is lost or stored twice, %s', async (storage) => {
  const site = await openSite();
  const start = (role: string, instance: string, program?: string): Promise<Odograph> =>
    startOdograph({ ...settings(site, role, instance), POSITIONS_STORAGE: storage }, program);
  const ingest = await start('ingest', 'ingest');
  const older = await start('core', 'older');
  await Promise.all([ingest.ready(), older.ready()]);
  const load = startFaultyLoad(await ingest.trackerPort(), site.postgresUrl);
  await works(older);

  const upgraded = await start('core', 'newer', newer);
  await upgraded.ready();
  expect(messages(upgraded, 'info')).toContain('migration applied');
  await Promise.all([works(older), works(upgraded)]);
  expect(await older.end('SIGTERM')).toBe(0);
  await works(upgraded);

  const { verification, records } = await load.verified();
  expect(verification).toMatchObject({ lost: 0, duplicated: 0, compared: records.acknowledged });
  expect(await value(site.pool, `select count(*) from schema_migrations where name = '${MIGRATION.name}'`)).toBe(1);
  expect(messages(older, 'error', 'fatal')).toEqual([]);

  const downgraded = await start('core', 'older');
  expect(await downgraded.ended()).toBe(1);
  expect(downgraded.lines.at(-1), downgraded.stderr()).toMatchObject({ level: 'info', msg: 'stopped' });
  expect(downgraded.lines.find(({ level }) => level === 'fatal')).toMatchObject({
    error: `a newer version has been here: this one does not know ${MIGRATION.name}`,
  });
});

test('two that start at once on an empty database are both ready, and one of them has migrated', async () => {
  const servers = { redisUrl: (await createRedis()).url, postgresUrl: await freshDatabase() };
  const both = await Promise.all(['one', 'two'].map((instance) => startOdograph(settings(servers, 'core', instance))));
  await Promise.all(both.map((odograph) => odograph.ready()));
  const migrated = both.map((odograph) => messages(odograph, 'info').filter((msg) => msg === 'migration applied').length);
  const { pool } = await openSite(servers);
  expect(migrated.toSorted((a, b) => a - b)).toEqual([0, Number(await value(pool, 'select count(*) from schema_migrations'))]);
  expect(both.flatMap((odograph) => messages(odograph, 'warn', 'error', 'fatal'))).toEqual([]);
});
