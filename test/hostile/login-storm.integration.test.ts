/**
 * More than twenty thousand logins with made-up IMEIs, and a processor behind: under `accept` no more devices come into
 * the database than the limit of new devices lets in, under `reject` none; its device map stays within its bound.
 */
import { expect, onTestFinished, test } from 'vitest';
import { allStored, metric, openSite, startCore, value } from '../core/support.ts';
import { startIngest } from '../ingest/support.ts';
import { eventually } from '../support/eventually.ts';
import { Attackers } from './attackers.ts';
import { QuietTrackers } from './quiet-trackers.ts';

const LOGINS = 20_500;
const QUIET = 20;
const PATIENCE = { timeoutMs: 150_000 };
const PER_MINUTE = 30;

test.each([['accept', 10 * PER_MINUTE], ['reject', 0]])('under %s', async (policy, atOnce) => {
  const site = await openSite();
  const core = await startCore(site, { DEVICE_STATE_CAPACITY: '100' });
  const settings = { STREAM_PARTITIONS: '2', INGEST_HOST: '0.0.0.0', DEVICE_LIST_REFRESH_MS: '100' };
  const limit = { INGEST_UNKNOWN_DEVICES: policy, INGEST_NEW_DEVICES_PER_MINUTE: String(PER_MINUTE) };
  const ingest = await startIngest(site.redisUrl, { ...settings, ...limit, INGEST_APPEND_TIMEOUT_MS: '10000' });
  const quietImeis = Array.from({ length: QUIET }, (_, n) => `86${String(n).padStart(13, '0')}`);
  await site.pool.query('insert into devices (unique_id) select unnest($1::text[])', [quietImeis]);
  await eventually(async () => {
    expect(await ingest.metric('odograph_ingest_device_list_size', { state: 'enabled' })).toBe(QUIET);
  });
  const quiet = await QuietTrackers.connectAs(ingest.port(), quietImeis);
  quiet.start();
  const attackers = new Attackers();
  onTestFinished(() => { attackers.end(); });

  const begunAt = performance.now();
  await attackers.attack({ port: ingest.port(), connections: LOGINS, addresses: 20, atOnce: 100, madeUpImeis: true });
  const report = await eventually(async () => {
    const now = await attackers.report();
    expect(now).toMatchObject({ isDone: true });
    return now;
  }, PATIENCE);
  const mostAdmitted = atOnce === 0 ? 0 : atOnce + Math.ceil(((performance.now() - begunAt) / 60_000) * PER_MINUTE);
  await quiet.stop();

  expect(report.admitted + report.denied).toBe(LOGINS);
  expect(report.admitted).toBeGreaterThanOrEqual(atOnce);
  expect(report.admitted).toBeLessThanOrEqual(mostAdmitted);
  expect(report.acknowledged).toBe(report.admitted);
  const reason = policy === 'accept' ? 'registration_limited' : 'unknown_device';
  expect(await ingest.metric('odograph_ingest_rejections_total', { reason })).toBe(report.denied);
  await allStored(site, quiet.acknowledged + report.admitted);
  expect(Number(await value(site.pool, 'select count(*) from devices'))).toBe(QUIET + report.admitted);
  expect(await metric(core.registry, 'processor_device_state_size')).toBeLessThanOrEqual(100);
  expect(quiet.acknowledged).toBeGreaterThan(QUIET);
}, 240_000);
