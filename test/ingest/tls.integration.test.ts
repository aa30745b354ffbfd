/** TLS listeners: the same trackers behind a handshake. */
import { execFile } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { connect } from 'node:tls';
import { promisify } from 'node:util';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { createRedis } from '../support/redis.ts';
import { eventually } from '../support/eventually.ts';
import type { Labels, TestIngest } from './support.ts';
import { lookInto, recordsOf, startIngest } from './support.ts';
import { connectTracker, dataFrame, loggedIn, newImei, Tracker } from './tracker.ts';

const run = promisify(execFile);
const REJECTIONS = 'odograph_ingest_rejections_total';

let folder: string;
let tls: Labels;
let redisUrl: string;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'odograph-tls-'));
  const [key, cert] = [join(folder, 'key.pem'), join(folder, 'cert.pem')];
  const subject = ['-subj', '/CN=localhost', '-addext', 'subjectAltName=DNS:localhost'];
  await run('openssl', ['req', '-x509', '-newkey', 'rsa:2048', '-nodes', '-days', '1', '-keyout', key, '-out', cert, ...subject]);
  tls = { INGEST_LISTENERS: 'teltonika:0,teltonika+tls:0', INGEST_TLS_CERT_FILE: cert, INGEST_TLS_KEY_FILE: key };
});

afterAll(async () => {
  await rm(folder, { recursive: true });
});

beforeEach(async () => {
  redisUrl = (await createRedis()).url;
});

async function connectTls(ingest: TestIngest): Promise<Tracker> {
  const ca = await readFile(tls['INGEST_TLS_CERT_FILE']!);
  const socket = connect({ port: ingest.port('tls'), host: '127.0.0.1', servername: 'localhost', ca });
  await once(socket, 'secureConnect');
  return new Tracker(socket);
}

describe('a TLS listener', () => {
  it('serves trackers that trust its certificate', async () => {
    const ingest = await startIngest(redisUrl, tls);
    const imei = newImei();
    const tracker = await (await connectTls(ingest)).logIn(imei);
    tracker.send(dataFrame(3));
    expect(await tracker.acknowledgement()).toBe(3);
    expect(await recordsOf(lookInto(redisUrl), imei)).toHaveLength(3);
  });

  it('counts and logs a bad handshake, and goes on', async () => {
    const ingest = await startIngest(redisUrl, tls);
    const plain = await connectTracker(ingest.port('tls'));
    plain.send(dataFrame(1));
    await plain.closed();
    await eventually(async () => { expect(await ingest.metric(REJECTIONS, { reason: 'tls_handshake_failed' })).toBe(1); });
    expect(ingest.warnings('tls_handshake_failed')).toHaveLength(1);
    expect(await ingest.metric('odograph_ingest_connections_total')).toBe(0);
    await (await connectTls(ingest)).logIn(newImei());
  });

  it('ends a handshake that does not come within INGEST_LOGIN_TIMEOUT_MS', async () => {
    const ingest = await startIngest(redisUrl, { ...tls, INGEST_LOGIN_TIMEOUT_MS: '200' });
    const silent = await connectTracker(ingest.port('tls'));
    await silent.closed();
    expect(await ingest.metric(REJECTIONS, { reason: 'tls_handshake_failed' })).toBe(1);
  });

  it('holds connections in their handshake to INGEST_MAX_CONNECTIONS', async () => {
    const ingest = await startIngest(redisUrl, { ...tls, INGEST_MAX_CONNECTIONS: '2', INGEST_LOGIN_TIMEOUT_MS: '1000' });
    await connectTracker(ingest.port('tls'));
    await connectTracker(ingest.port('tls'));
    const third = await connectTracker(ingest.port('tls'));
    await third.closed();
    expect(await ingest.metric(REJECTIONS, { reason: 'too_many_connections' })).toBe(1);
    await eventually(async () => { await (await connectTls(ingest)).logIn(newImei()); });
  });

  it('holds trackers to the limit of connections after their handshake', async () => {
    const ingest = await startIngest(redisUrl, { ...tls, INGEST_MAX_CONNECTIONS_PER_ADDRESS: '1' });
    await loggedIn(ingest.port(), newImei());
    const tracker = await connectTls(ingest);
    await tracker.closed();
    expect(await ingest.metric(REJECTIONS, { reason: 'too_many_connections' })).toBe(1);
  });

  it('ends with ingest, also for a connection that is in its handshake', async () => {
    const ingest = await startIngest(redisUrl, tls);
    const silent = await connectTracker(ingest.port('tls'));
    const tracker = await (await connectTls(ingest)).logIn(newImei());
    await ingest.stop();
    await Promise.all([silent.closed(), tracker.closed()]);
  });
});

describe('a bad certificate', () => {
  it('is for the tracker to refuse: that is counted, and others are served', async () => {
    const ingest = await startIngest(redisUrl, tls);
    const socket = connect({ port: ingest.port('tls'), host: '127.0.0.1', servername: 'localhost' });
    const [error] = await once(socket, 'error') as [NodeJS.ErrnoException];
    expect(error.code).toBe('DEPTH_ZERO_SELF_SIGNED_CERT');
    await (await connectTls(ingest)).logIn(newImei());
    expect(await ingest.metric('odograph_ingest_connections', { protocol: 'teltonika' })).toBe(1);
  });

  it('of another key ends the start, and says which files do not go together', async () => {
    const file = join(folder, 'other.pem');
    await run('openssl', ['genpkey', '-algorithm', 'RSA', '-out', file]);
    const start = startIngest(redisUrl, { ...tls, INGEST_TLS_KEY_FILE: file });
    await expect(start).rejects.toThrow(/INGEST_TLS_KEY_FILE .*other\.pem/);
  });
});

describe('a start', () => {
  it('with a file that is no certificate says which', async () => {
    const file = join(folder, 'not.pem');
    await writeFile(file, 'not a certificate');
    const start = startIngest(redisUrl, { ...tls, INGEST_TLS_CERT_FILE: file });
    await expect(start).rejects.toThrow(`INGEST_TLS_CERT_FILE ${file}`);
  });

  it('with a file that is not there says which', async () => {
    const start = startIngest(redisUrl, { ...tls, INGEST_TLS_KEY_FILE: '/nowhere/key.pem' });
    await expect(start).rejects.toThrow('/nowhere/key.pem');
  });
});
