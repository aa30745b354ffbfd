/** Records of more days than one transaction has room for: nothing stands still, and nothing of them is lost. */
import type { Pool } from 'pg';
import { expect, inject, onTestFinished, test } from 'vitest';
import { maintainPartitions } from '../../src/db/partitions.ts';
import type { TelemetryFrame } from '../../src/shared/model.ts';
import { startPrivatePostgres } from '../support/database.ts';
import { eventually } from '../support/eventually.ts';
import {
  STORAGES, append, countPending, deadLetters, frame, metric, openSite, prepareCore, record, startCore, value,
} from './support.ts';

const DAY_MS = 86_400_000;
const NOW = Date.UTC(2026, 10, 20, 12);
/** Room for fewer than 2,000 locks, a quarter of what PostgreSQL has by default. */
const LITTLE_ROOM = { max_connections: '20', max_locks_per_transaction: '20', max_worker_processes: '8', 'timescaledb.max_background_workers': '4' };

const DAYS = 600;

/** A frame of a record a day, up to today. */
function daily(deviceId: string): TelemetryFrame {
  return frame(deviceId, Array.from({ length: DAYS }, (_, day) => record(NOW - day * DAY_MS)));
}

/** Asked for in parts, since there is no room for a question over all days either. */
async function storedDays(pool: Pool): Promise<number> {
  let stored = 0;
  for (let day = 0; day < DAYS; day += 50) {
    const range = [NOW - (day + 50) * DAY_MS + 1, NOW - day * DAY_MS].map((time) => new Date(time));
    stored += Number(await value(pool, 'select count(*) from positions where ts between $1 and $2', range));
  }
  return stored;
}

async function allDaysStored(pool: Pool, others = 0): Promise<void> {
  await eventually(async () => { expect(await storedDays(pool)).toBe(DAYS + others); });
}

test.each(STORAGES)('of a record each the days are stored in parts, and others beside them: %s', async (storage) => {
  const server = await startPrivatePostgres(storage === 'timescaledb' ? LITTLE_ROOM : {});
  onTestFinished(() => server.stop());
  const site = await openSite({ postgresUrl: server.url });
  const running = await prepareCore(site, { POSITIONS_STORAGE: storage });
  await append(site.redis, daily('wanderer'), frame('other', [record(NOW)]));
  await running.core.start();
  await allDaysStored(site.pool, 1);
  await eventually(async () => { expect(await countPending(site.redis)).toBe(0); });
  expect(await deadLetters(site.redis)).toEqual([]);
  const refusals = await metric(running.registry, 'odograph_core_write_retries_total', { code: '53200' });
  expect(refusals > 0).toBe(storage === 'timescaledb');
});

test.runIf(inject('servers').timescaledb)('retention drops more chunks than one transaction has room for', async () => {
  const server = await startPrivatePostgres(LITTLE_ROOM);
  onTestFinished(() => server.stop());
  const site = await openSite({ postgresUrl: server.url });
  const { settings } = await startCore(site, { POSITIONS_STORAGE: 'timescaledb', POSITIONS_RETENTION_DAYS: '90' });
  await append(site.redis, daily('wanderer'));
  await allDaysStored(site.pool);
  await expect(site.pool.query('select drop_chunks(\'positions\', older_than => now())')).rejects.toMatchObject({ code: '53200' });
  const maintenance = await maintainPartitions(site.pool, settings, NOW);
  expect(maintenance?.dropped.length).toBeGreaterThanOrEqual(500);
  const left = await value(site.pool, 'select count(*)::int from timescaledb_information.chunks where hypertable_name = \'positions\'');
  expect(left).toBeLessThan(200);
});
