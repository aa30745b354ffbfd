/** NDJSON streams that come slowly, stall or are kept waiting, and what their senders are told. */
import { once } from 'node:events';
import type { ClientRequest, IncomingMessage } from 'node:http';
import { request as httpRequest } from 'node:http';
import { createGzip, constants } from 'node:zlib';
import type { Gzip } from 'node:zlib';
import { expect, onTestFinished, test } from 'vitest';
import { eventually } from '../../support/eventually.ts';
import { createRedis, startPrivateRedis } from '../../support/redis.ts';
import { endServer, lookInto, recordsOf } from '../support.ts';
import type { Labels } from '../support.ts';
import type { WriteApi } from './support.ts';
import { NDJSON, lines, newDevice, recordsFor, startWriteApi } from './support.ts';

const QUICK = { INGEST_HTTP_STREAM_IDLE_MS: '1000' };

interface Told {
  readonly status: number;
  readonly headers: IncomingMessage['headers'];
  readonly body: { readonly code?: string; readonly detail?: string; readonly accepted?: number };
}

interface Upload {
  readonly request: ClientRequest;
  readonly answer: Promise<Told>;
}

/** A request whose body the test sends as it likes. */
function upload({ url }: WriteApi, headers: Labels = {}): Upload {
  const request = httpRequest(url, { method: 'POST', headers: { authorization: 'Bearer writer', ...NDJSON, ...headers } });
  // The connection ends while more is being sent.
  request.on('error', () => undefined);
  onTestFinished(() => { request.destroy(); });
  const told = async (): Promise<Told> => {
    const [response] = (await once(request, 'response')) as [IncomingMessage];
    let text = '';
    for await (const chunk of response) text += String(chunk);
    return { status: response.statusCode ?? 0, headers: response.headers, body: JSON.parse(text) as Told['body'] };
  };
  return { request, answer: told() };
}

/** Sends a little again and again, until told to stop. */
function trickle(send: () => void, everyMs: number): () => void {
  const timer = setInterval(send, everyMs);
  const stop = (): void => { clearInterval(timer); };
  onTestFinished(stop);
  return stop;
}

const accepted = ({ ingest }: WriteApi): Promise<number> => ingest.metric('odograph_http_records_total', { result: 'accepted' });

function flushed(gzip: Gzip, text: string): void {
  gzip.write(text);
  gzip.flush(constants.Z_SYNC_FLUSH);
}

test.each(['as it is', 'compressed'])('a stream, %s, that stalls is answered with 408, and what was kept of it', async (form) => {
  const { url } = await createRedis();
  const api = await startWriteApi(url, QUICK);
  const deviceId = newDevice();
  const { request, answer } = upload(api, form === 'compressed' ? { 'content-encoding': 'gzip' } : {});
  const text = lines(recordsFor(deviceId, 50));
  if (form === 'compressed') {
    const gzip = createGzip();
    gzip.pipe(request);
    flushed(gzip, text);
  } else request.write(text);
  const { status, headers, body } = await answer;
  expect([status, body.code]).toEqual([408, 'request_timeout']);
  expect(body.detail).toMatch(/^of the body came \d+ bytes in [\d.]+ seconds, and \d+ is the least; the first 50 records that could be kept are kept$/);
  expect(headers.connection).toBe('close');
  expect(await recordsOf(lookInto(url), deviceId)).toHaveLength(50);
});

test('a stream of a byte now and then is answered with 408', async () => {
  const { url } = await createRedis();
  const { request, answer } = upload(await startWriteApi(url, QUICK));
  const stop = trickle(() => { request.write(' '); }, 100);
  expect(await answer).toMatchObject({ status: 408, body: { code: 'request_timeout' } });
  stop();
});

test('a stream that takes longer than its total time is answered with 408, and what was kept of it', async () => {
  const { url } = await createRedis();
  const { request, answer } = upload(await startWriteApi(url, { INGEST_HTTP_STREAM_TIMEOUT_MS: '1500' }));
  const deviceId = newDevice();
  const stop = trickle(() => { request.write(lines(recordsFor(deviceId, 10))); }, 50);
  const { status, body } = await answer;
  expect(status).toBe(408);
  expect(body.detail).toMatch(/not complete within 1.5 seconds; the first \d+0 records that could be kept are kept$/);
  stop();
});

test('a stream that comes slowly and steadily is taken, long after it would have been cut for stalling', async () => {
  const { url } = await createRedis();
  const api = await startWriteApi(url, QUICK);
  const { request, answer } = upload(api);
  const deviceId = newDevice();
  const records = recordsFor(deviceId, 60);
  const rest = records.values();
  await new Promise<void>((resolve) => {
    const stop = trickle(() => {
      const { value, done } = rest.next();
      if (done !== true) request.write(lines([value]));
      else {
        stop();
        resolve();
      }
    }, 80);
  });
  request.end();
  expect(await answer).toMatchObject({ status: 202, body: { accepted: 60 } });
});

test('while Redis takes nothing the socket is not read, its client is not blamed, and goes on when Redis does', async () => {
  const server = await startPrivateRedis();
  onTestFinished(() => endServer(server));
  const api = await startWriteApi(server.url, { ...QUICK, INGEST_APPEND_TIMEOUT_MS: '20000' });
  const { request, answer } = upload(api);
  const text = lines(recordsFor(newDevice(), 2_000));
  request.write(text);
  await eventually(async () => (await accepted(api)) === 2_000);
  await server.freeze();
  const all = 200;
  for (let part = 1; part < all; part += 1) request.write(text);
  request.end();
  const bytes = text.length * all;
  const sent = (): number => (request.socket?.bytesWritten ?? 0) - (request.socket?.writableLength ?? 0);
  // What does not fit into the buffers of both ends stays with the client.
  let [before, still] = [-1, 0];
  await eventually(() => {
    still = sent() === before ? still + 1 : 0;
    before = sent();
    expect(still).toBeGreaterThan(50);
  });
  expect(sent()).toBeLessThan(bytes / 2);
  expect(await api.ingest.metric('odograph_ingest_append_queue_bytes')).toBeLessThan(4 * 1024 * 1024);
  const frozenAt = performance.now();
  // Longer than a silence may last, twice over.
  await eventually(() => { expect(performance.now() - frozenAt).toBeGreaterThan(2_500); });
  await server.thaw();
  expect(await answer).toMatchObject({ status: 202, body: { accepted: 2_000 * all } });
}, 60_000);

test('streams that fill the queue together wait for each other, and all of them are taken', async () => {
  const server = await startPrivateRedis();
  onTestFinished(() => endServer(server));
  const api = await startWriteApi(server.url, { INGEST_APPEND_QUEUE_BYTES: String(1024 * 1024), INGEST_APPEND_TIMEOUT_MS: '20000' });
  const text = lines(recordsFor(newDevice(), 1_000));
  const uploads = Array.from({ length: 12 }, () => upload(api));
  for (const { request } of uploads) request.write(text);
  await eventually(async () => (await accepted(api)) === 12_000);
  await server.freeze();
  for (const { request } of uploads) {
    for (let part = 0; part < 10; part += 1) request.write(text);
    request.end();
  }
  const waiting = (): Promise<number> => api.ingest.metric('odograph_ingest_append_queue_bytes');
  await eventually(async () => (await waiting()) > 1024 * 1024);
  expect(await waiting()).toBeLessThan(4 * 1024 * 1024);
  await server.thaw();
  for (const { answer } of uploads) expect(await answer).toMatchObject({ status: 202, body: { accepted: 11_000 } });
}, 60_000);

test('a body that is read as a whole and does not come is answered with 408 after API_BODY_TIMEOUT_MS', async () => {
  const { url } = await createRedis();
  const api = await startWriteApi(url, { API_BODY_TIMEOUT_MS: '1000' });
  const { request, answer } = upload(api, { 'content-type': 'application/json', 'content-length': '1000' });
  request.write('[');
  const { status, body } = await answer;
  expect([status, body.code]).toEqual([408, 'request_timeout']);
});
