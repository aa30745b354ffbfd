/** Known traffic, and every metric of ingest equal to what was sent. */
import { expect, it } from 'vitest';
import { encodeAvlFrame, encodeLogin, PING } from '../../src/protocols/teltonika/encode.ts';
import { createRedis } from '../support/redis.ts';
import { eventually } from '../support/eventually.ts';
import { avlRecord, frameOf } from '../protocols/teltonika/frames.ts';
import { startIngest } from './support.ts';
import { connectTracker, dataFrame, loggedIn, newImei, recordsFrom } from './tracker.ts';

const TS = 1_690_000_000_000;

it('every counter equals what was sent', async () => {
  const { url } = await createRedis();
  const ingest = await startIngest(url, { INGEST_LISTENERS: 'teltonika:0,gt06:0' });
  const sent = { bytes: 0, accepted: 0, refused: 0, records: 0, acknowledgements: 0 };

  for (let device = 1; device <= 5; device += 1) {
    const tracker = await connectTracker(ingest.port());
    const login = encodeLogin(newImei());
    const frames = Array.from({ length: 10 * device }, (_, index) => dataFrame(device, TS + index * 60_000));
    tracker.send(login, PING, ...frames);
    await tracker.read(1 + 4 * frames.length);
    sent.bytes += login.length + 1 + frames.reduce((sum, { length }) => sum + length, 0);
    sent.accepted += 2 + frames.length;
    sent.records += device * frames.length;
    sent.acknowledgements += frames.length;
    tracker.socket.destroy();
  }

  const troubled = await loggedIn(ingest.port(), newImei());
  const damaged = dataFrame(2);
  damaged[30]! ^= 1;
  const unknownCodec = frameOf(Buffer.from('990101', 'hex'));
  const badRecords = recordsFrom(TS, 4, { latitude: 99 });
  const mixed = encodeAvlFrame([avlRecord(), ...badRecords, avlRecord([], { ts: Date.UTC(2099, 0, 1) })], '8');
  const empty = frameOf(Buffer.from('080000', 'hex'));
  troubled.send(damaged, damaged, unknownCodec, mixed, empty);
  for (const count of [1, 6, 0]) expect(await troubled.acknowledgement()).toBe(count);
  sent.bytes += 17 + 2 * damaged.length + unknownCodec.length + mixed.length + empty.length;
  sent.accepted += 4;
  sent.refused += 2;
  sent.records += 1;
  sent.acknowledgements += 2;

  const garbage = Buffer.from('garbage');
  const stranger = await connectTracker(ingest.port('tcp', 'gt06'));
  stranger.send(garbage);
  await stranger.closed();

  const metric = (name: string, labels = {}): Promise<number> => ingest.metric(`odograph_ingest_${name}`, labels);
  const teltonika = { protocol: 'teltonika' };
  const gt06 = { protocol: 'gt06' };
  await eventually(async () => { expect(await metric('connections')).toBe(1); });
  expect({
    connections: await metric('connections', teltonika),
    connectionsTotal: await metric('connections_total', teltonika),
    strangers: await metric('connections_total', gt06),
    gone: await metric('disconnections_total', { ...teltonika, reason: 'peer_closed' }),
    thrownOut: await metric('disconnections_total', { ...gt06, reason: 'bad_preamble' }),
    disconnections: await metric('disconnections_total'),
    bytes: await metric('bytes_total', teltonika),
    garbage: await metric('bytes_total', gt06),
    accepted: await metric('frames_total', { ...teltonika, result: 'accepted' }),
    refused: await metric('frames_total', { ...teltonika, result: 'refused' }),
    broken: await metric('frames_total', { ...gt06, result: 'broken' }),
    frames: await metric('frames_total'),
    records: await metric('records_total'),
    acknowledgements: await metric('ack_latency_seconds_count'),
  }).toEqual({
    connections: 1, connectionsTotal: 6, strangers: 1, gone: 5, thrownOut: 1, disconnections: 6,
    bytes: sent.bytes, garbage: garbage.length,
    accepted: sent.accepted, refused: sent.refused, broken: 1, frames: sent.accepted + sent.refused + 1,
    records: sent.records, acknowledgements: sent.acknowledgements,
  });
  const reasons = ['checksum_mismatch', 'unknown_codec', 'bad_field', 'clock_ahead', 'bad_preamble'];
  expect(await Promise.all(reasons.map((reason) => metric('rejections_total', { reason })))).toEqual([2, 1, 4, 1, 1]);
  expect(await metric('rejections_total')).toBe(9);
  expect(await Promise.all(reasons.map((reason) => metric('dead_letters_total', { reason })))).toEqual([0, 1, 1, 1, 0]);
  expect(await metric('dead_letters_total')).toBe(3);
  expect(await metric('append_queue_bytes')).toBe(0);
  expect(await metric('paused_sockets')).toBe(0);
  expect(await metric('append_failures_total')).toBe(0);
  expect(await metric('listener_errors_total')).toBe(0);
  const pipelines = await metric('append_duration_seconds_count');
  expect(pipelines).toBeGreaterThan(0);
  expect(pipelines).toBeLessThanOrEqual(sent.acknowledgements);
});
