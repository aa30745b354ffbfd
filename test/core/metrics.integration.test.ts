/** Known traffic through ingest and core over TCP, and every counter of the processor against what was sent. */
import { expect, test } from 'vitest';
import { encodeRecord } from '../../src/shared/contracts/stored-record.ts';
import { entryFields } from '../../src/shared/contracts/telemetry-stream.ts';
import { encodeAvlFrame } from '../../src/protocols/teltonika/encode.ts';
import { startIngest } from '../ingest/support.ts';
import { loggedIn, recordsFrom } from '../ingest/tracker.ts';
import { eventually } from '../support/eventually.ts';
import type { RunningCore, Site } from './support.ts';
import {
  allStored, append, countPending, frame, holdTransaction, metric, openSite, record, startCore, streamOf, value,
  withAttributes,
} from './support.ts';

const NOW = Date.UTC(2026, 10, 20, 12);
const [FIRST, SECOND, THIRD] = ['356307042441013', '356307042441021', '356307042441039'];

/** Every series of the processor as Prometheus reads it, but for buckets and sums of histograms. */
/** All but the rollups, which have a pace of their own. */
async function exposed({ registry }: RunningCore): Promise<Record<string, number>> {
  const lines = (await registry.metrics()).split('\n').filter((line) => /^(processor_|odograph_core_(?!rollup_))/.test(line));
  const series = lines.map((line): [string, number] => {
    const end = line.lastIndexOf(' ');
    return [line.slice(0, end), Number(line.slice(end + 1))];
  });
  return Object.fromEntries(series.filter(([name]) => !/_bucket\{|_sum$/.test(name)));
}

/** Entries that no tracker makes: one without meaning, one with a record out of range, one that PostgreSQL refuses. */
async function appendBadEntries({ redis }: Site): Promise<void> {
  const stream = streamOf(SECOND);
  const head = { deviceId: SECOND, protocol: 'teltonika', receivedAt: NOW };
  await redis.xadd(stream, '*', 'version', '7');
  await redis.xadd(stream, '*', ...entryFields(head, [encodeRecord(record(NOW)).replace('52.5', '214')]));
  await redis.xadd(stream, '*', ...entryFields(head, [withAttributes(record(NOW + 60_000), '{"a":"\\u0000"}')]));
}

test('every counter is what was sent, under the names and labels that dashboards ask for', async () => {
  const site = await openSite();
  const ingest = await startIngest(site.redisUrl, { STREAM_PARTITIONS: '2' });
  const running = await startCore(site, { DEVICE_STATE_CAPACITY: '2', STREAM_RETENTION_MS: '600000' });
  let stored = 0;
  const send = async (imei: string, ts: number, count: number, isNew = true): Promise<void> => {
    const tracker = await loggedIn(ingest.port(), imei);
    tracker.send(encodeAvlFrame(recordsFrom(ts, count), '8E'));
    expect(await tracker.acknowledgement()).toBe(count);
    if (isNew) stored += count;
    await allStored(site, stored);
    tracker.socket.end();
    await tracker.closed();
  };
  await send(FIRST, NOW, 10);
  await send(FIRST, NOW + 10_000, 10);
  await send(FIRST, NOW - 60_000, 4);
  await send(SECOND, NOW, 5);
  await send(SECOND, NOW, 5, false);
  await send(THIRD, NOW, 3);
  await appendBadEntries(site);
  await allStored(site, stored);
  await eventually(async () => { expect(await metric(running.registry, 'processor_acks_total')).toBe(9); });
  await eventually(async () => { expect(await metric(running.registry, 'processor_consumer_reads_total', { result: 'empty' })).toBeGreaterThan(0); });

  const { ['processor_consumer_reads_total{result="ok"}']: reads, ['processor_consumer_reads_total{result="empty"}']: _empty, ...others }
    = await exposed(running);
  expect(reads).toBeGreaterThanOrEqual(7);
  expect(reads).toBeLessThanOrEqual(9);
  expect(others).toEqual({
    'processor_consumer_reads_total{result="error"}': 0,
    'processor_consumer_records_total': 38,
    'processor_consumer_lag': 0,
    'processor_decode_errors_total': 2,
    'processor_position_writes_total{status="inserted"}': 32,
    'processor_position_writes_total{status="duplicate"}': 5,
    'processor_position_writes_total{status="failed"}': 1,
    'processor_position_write_duration_seconds_count': 6,
    'processor_acks_total': 9,
    'processor_device_state_size': 2,
    'processor_device_state_evictions_total': 1,
    'odograph_core_devices_registered_total': 3,
    'odograph_core_late_records_total': 4,
    'odograph_core_dead_letters_total{reason="malformed_entry"}': 2,
    'odograph_core_dead_letters_total{reason="database_refused"}': 1,
    'odograph_core_dead_letters_total{reason="max_deliveries"}': 0,
    'odograph_core_dead_letters_total{reason="internal_error"}': 0,
    'odograph_core_dead_letter_entries': 0,
    'odograph_core_dead_letter_bytes': 0,
    'odograph_core_dead_letter_max_bytes': 268_435_456,
    'odograph_core_dead_letter_oldest_age_seconds': 0,
    'odograph_core_dead_letters_dropped_total': 0,
    'odograph_core_receipt_to_commit_seconds_count': 7,
    'odograph_core_queue_records': 0,
    'odograph_core_pending_entries': 0,
    'odograph_core_stream_entries': 0,
    'odograph_core_claimed_entries_total': 0,
    'odograph_core_groups_recreated_total': 0,
    'odograph_core_trimmed_entries_total': 0,
  });
  expect(await value(site.pool, 'select sum(records) from device_state')).toBe('32');
  expect(await ingest.metric('odograph_ingest_records_total')).toBe(37);
});

test('lag, length and pending entries are measured again every 10 s', async () => {
  const site = await openSite();
  const running = await startCore(site, { PROCESSOR_QUEUE_RECORDS: '10', PROCESSOR_READ_COUNT: '5', PROCESSOR_BATCH_RECORDS: '5' });
  const held = await holdTransaction(site.pool, 'lock table positions in access exclusive mode');
  await append(site.redis, ...Array.from({ length: 200 }, (_, n) => frame('a', [record(NOW + n)])));
  await eventually(async () => {
    expect(await metric(running.registry, 'odograph_core_stream_entries')).toBe(200);
  }, { timeoutMs: 15_000 });
  const pending = await countPending(site.redis);
  expect(await metric(running.registry, 'odograph_core_pending_entries')).toBe(pending);
  expect(await metric(running.registry, 'processor_consumer_lag')).toBe(200 - pending);
  expect(pending).toBeLessThan(40);
  await held.end();
  await allStored(site, 200);
}, 30_000);
