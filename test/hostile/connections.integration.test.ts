/**
 * Connections that are made to do harm: they are ended by a limit, counted by its reason, and take no more memory than
 * connections take; trackers beside them are acknowledged all the while.
 */
import { beforeEach, describe, expect, it, onTestFinished } from 'vitest';
import { encodeLogin } from '../../src/protocols/teltonika/encode.ts';
import { createRedis } from '../support/redis.ts';
import { eventually } from '../support/eventually.ts';
import type { Labels, TestIngest } from '../ingest/support.ts';
import { startIngest } from '../ingest/support.ts';
import type { Attack, Report } from './attack.ts';
import { Attackers } from './attackers.ts';
import { QuietTrackers } from './quiet-trackers.ts';

const REJECTIONS = 'odograph_ingest_rejections_total';
const CONNECTIONS = 'odograph_ingest_connections';
const PATIENCE = { timeoutMs: 100_000 };
const QUIET = 10;
const KIB = 1024;

let redisUrl: string;

beforeEach(async () => {
  redisUrl = (await createRedis()).url;
});

interface Scene {
  readonly ingest: TestIngest;
  readonly attackers: Attackers;
  readonly quiet: QuietTrackers;
}

async function setScene(settings: Labels = {}): Promise<Scene> {
  const patient = { INGEST_HOST: '0.0.0.0', INGEST_APPEND_TIMEOUT_MS: '10000' };
  const ingest = await startIngest(redisUrl, { ...patient, ...settings });
  const attackers = new Attackers();
  onTestFinished(() => { attackers.end(); });
  const quiet = await QuietTrackers.connect(ingest.port(), QUIET);
  quiet.start();
  return { ingest, attackers, quiet };
}

async function doneWith({ attackers, ingest }: Scene, attack: Omit<Attack, 'port'>): Promise<Report> {
  await attackers.attack({ ...attack, port: ingest.port() });
  return await eventually(async () => {
    const report = await attackers.report();
    expect(report).toMatchObject({ isDone: true });
    return report;
  }, PATIENCE);
}

/** Nothing is left of the attack, and every frame of the others was acknowledged in time. */
async function expectNothingLeft({ ingest, quiet }: Scene): Promise<void> {
  await eventually(async () => { expect(await ingest.metric(CONNECTIONS)).toBe(QUIET); }, PATIENCE);
  const before = quiet.acknowledged;
  await eventually(() => quiet.acknowledged > before + QUIET);
  await quiet.stop();
}

describe('ten thousand connections', () => {
  it('that say nothing take little memory, and are ended by INGEST_LOGIN_TIMEOUT_MS', async () => {
    const scene = await setScene({ INGEST_LOGIN_TIMEOUT_MS: '30000' });
    const before = process.memoryUsage.rss();
    const attack = { connections: 10_000, addresses: 50, atOnce: 100, stays: true };
    expect(await doneWith(scene, attack)).toMatchObject({ open: 10_000, ended: 0 });
    expect(process.memoryUsage.rss() - before).toBeLessThan(10_000 * 40 * KIB);
    await eventually(async () => {
      expect(await scene.ingest.metric(REJECTIONS, { reason: 'login_timeout' })).toBe(10_000);
    }, PATIENCE);
    await expectNothingLeft(scene);
    expect(scene.ingest.warnings('login_timeout').length).toBeLessThan(100);
  }, 240_000);
});

describe('a slow sender', () => {
  it.each([
    ['of a login', { first: '000f3335', drip: { bytes: '33', everyMs: 250 } }, 'login_timeout'],
    ['of pings', { drip: { bytes: 'ff', everyMs: 100 } }, 'login_timeout'],
    ['of a frame behind a login', { first: `${encodeLogin('990000000000001').toString('hex')}000000000000fff08e`, drip: { bytes: '00', everyMs: 100 } }, 'frame_timeout'],
  ])('%s is ended in time, however it drips', async (_what, talk, reason) => {
    const limits = { INGEST_LOGIN_TIMEOUT_MS: '1500', INGEST_FRAME_TIMEOUT_MS: '2500' };
    const scene = await setScene(limits);
    const connections = reason === 'frame_timeout' ? 1 : 300;
    await doneWith(scene, { connections, addresses: 3, atOnce: 50, ...talk });
    expect(await scene.ingest.metric(REJECTIONS, { reason })).toBe(connections);
    await expectNothingLeft(scene);
  });
});

describe('a flood from one address', () => {
  it('is held to INGEST_MAX_CONNECTIONS_PER_ADDRESS, others connect meanwhile', async () => {
    const scene = await setScene({ INGEST_MAX_CONNECTIONS_PER_ADDRESS: '100', INGEST_LOGIN_TIMEOUT_MS: '20000' });
    await scene.attackers.attack({ port: scene.ingest.port(), connections: 3_000, addresses: 1, atOnce: 300 });
    await eventually(async () => {
      expect(await scene.ingest.metric(REJECTIONS, { reason: 'too_many_connections' })).toBeGreaterThan(1_000);
    }, PATIENCE);
    expect(await scene.ingest.metric(CONNECTIONS)).toBeLessThanOrEqual(100 + QUIET);
    const late = await QuietTrackers.connect(scene.ingest.port(), 5);
    late.start();
    await eventually(() => late.acknowledged > 5);
    await late.stop();
    await scene.attackers.hangUp();
    await eventually(async () => { expect(await scene.ingest.metric(CONNECTIONS)).toBe(QUIET + 5); }, PATIENCE);
    await scene.quiet.stop();
  });
});

describe('a thousand senders', () => {
  it.each([
    ['of garbage', { first: '5a'.repeat(2_000) }, 'bad_preamble'],
    ['of a length that no frame has', { first: '0000000080000000' }, 'length_out_of_range'],
  ])('%s are each closed at once', async (_what, talk, reason) => {
    const scene = await setScene();
    await doneWith(scene, { connections: 1_000, addresses: 10, atOnce: 50, ...talk });
    expect(await scene.ingest.metric(REJECTIONS, { reason })).toBe(1_000);
    await expectNothingLeft(scene);
    expect(scene.ingest.warnings(reason).length).toBeLessThan(100);
  });
});
