/** Acknowledged means kept: whatever is killed, and whenever, what a tracker got an answer for is stored once. */
import { expect, test } from 'vitest';
import { encodeLogin } from '../../src/protocols/teltonika/encode.ts';
import type { Site } from '../core/support.ts';
import { countPending, countPositions, openSite } from '../core/support.ts';
import { connectTracker, dataFrame } from '../ingest/tracker.ts';
import { eventually } from '../support/eventually.ts';
import type { Environment, Odograph } from './support.ts';
import { startOdograph } from './support.ts';

const START = 1_700_000_000_000;
const FRAME_RECORDS = 5;

/** A tracker as they are: sends each frame until it is acknowledged, over as many connections as it takes. */
class Sender {
  readonly #imei: string;
  #acknowledged = 0;
  #stopped = false;
  port: number;

  constructor(imei: string, port: number) {
    this.#imei = imei;
    this.port = port;
  }

  /** Frames. */
  get acknowledged(): number {
    return this.#acknowledged;
  }

  stop(): void {
    this.#stopped = true;
  }

  async run(): Promise<void> {
    while (!this.#stopped) {
      try {
        await this.#connection();
      } catch (error) {
        // Refused or cut off: a tracker connects again.
        if (!(error instanceof Error)) throw error;
      }
    }
  }

  async #connection(): Promise<void> {
    const tracker = await connectTracker(this.port);
    tracker.send(encodeLogin(this.#imei));
    await tracker.read(1);
    while (!this.#stopped) {
      tracker.send(dataFrame(FRAME_RECORDS, START + this.#acknowledged * 10_000));
      if (await tracker.acknowledgement() !== FRAME_RECORDS) throw new Error('not all were taken');
      this.#acknowledged += 1;
    }
    tracker.socket.destroy();
  }
}

interface Load {
  readonly senders: readonly Sender[];
  /** Waits until every tracker has this many more acknowledgements. */
  progress(frames: number): Promise<void>;
  moveTo(port: number): void;
  /** @returns how many records were acknowledged */
  end(): Promise<number>;
}

function startLoad(port: number): Load {
  const senders = Array.from({ length: 8 }, (_, n) => new Sender(`3563070424410${String(n).padStart(2, '0')}`, port));
  const running = Promise.all(senders.map((sender) => sender.run()));
  return {
    senders,
    async progress(frames) {
      const goals = senders.map((sender) => sender.acknowledged + frames);
      await eventually(() => senders.every((sender, n) => sender.acknowledged >= goals[n]!), { timeoutMs: 20_000 });
    },
    moveTo(next) {
      for (const sender of senders) sender.port = next;
    },
    async end() {
      for (const sender of senders) sender.stop();
      await running;
      return senders.reduce((sum, { acknowledged }) => sum + acknowledged, 0) * FRAME_RECORDS;
    },
  };
}

function serversOf({ redisUrl, postgresUrl }: Site): Environment {
  const servers = { REDIS_URL: redisUrl, POSTGRES_URL: postgresUrl };
  return { ...servers, PROCESSOR_BATCH_RECORDS: '50', PROCESSOR_CLAIM_INTERVAL_MS: '500', PROCESSOR_CLAIM_IDLE_MS: '1000' };
}

/** What was acknowledged is stored; beyond it at most the frame that each tracker still waited for. */
async function expectStored(site: Site, acknowledged: number, senders: number): Promise<void> {
  await eventually(async () => {
    expect(await countPositions(site.pool)).toBeGreaterThanOrEqual(acknowledged);
    expect(await countPending(site.redis)).toBe(0);
  }, { timeoutMs: 20_000 });
  expect(await countPositions(site.pool)).toBeLessThanOrEqual(acknowledged + senders * FRAME_RECORDS);
  const { rows } = await site.pool.query<{ right: boolean }>(
    `select s.records = count(*) and s.ts = max(p.ts) and count(distinct p.ts) = count(*) as right
     from device_state s join positions p using (device_id) group by s.device_id`);
  expect(rows).toEqual(Array.from({ length: senders }, () => ({ right: true })));
}

test('killed three times under load: nothing that was acknowledged is lost, nothing is stored twice', async () => {
  const site = await openSite();
  let odograph: Odograph = await startOdograph(serversOf(site));
  await odograph.ready();
  const load = startLoad(await odograph.trackerPort());
  for (let kills = 0; kills < 3; kills += 1) {
    await load.progress(20);
    await odograph.end('SIGKILL');
    odograph = await startOdograph(serversOf(site));
    load.moveTo(await odograph.trackerPort());
  }
  await load.progress(20);
  const acknowledged = await load.end();
  await expectStored(site, acknowledged, load.senders.length);
});

test('stopped under load: it ends with 0, and nothing that was acknowledged is lost', async () => {
  const site = await openSite();
  const first = await startOdograph(serversOf(site));
  await first.ready();
  const load = startLoad(await first.trackerPort());
  await load.progress(20);
  expect(await first.end('SIGTERM')).toBe(0);
  const second = await startOdograph(serversOf(site));
  load.moveTo(await second.trackerPort());
  await load.progress(20);
  const acknowledged = await load.end();
  await expectStored(site, acknowledged, load.senders.length);
  expect(await second.end('SIGTERM')).toBe(0);
});

test('ingest and core as two processes: core may die and come back while trackers are acknowledged', async () => {
  const site = await openSite();
  const ingest = await startOdograph({ ...serversOf(site), ROLES: 'ingest' });
  const core = await startOdograph({ ...serversOf(site), ROLES: 'core' });
  await Promise.all([ingest.ready(), core.ready()]);
  expect(Object.keys((await ingest.readiness()).checks).sort()).toEqual(['http', 'ingest', 'redis (ingest)']);
  expect(Object.keys((await core.readiness()).checks).sort()).toEqual(['core', 'postgres', 'redis (core)']);
  const load = startLoad(await ingest.trackerPort());
  await load.progress(10);
  await core.end('SIGKILL');
  await load.progress(20);
  const again = await startOdograph({ ...serversOf(site), ROLES: 'core' });
  await again.ready();
  await load.progress(10);
  const acknowledged = await load.end();
  await expectStored(site, acknowledged, load.senders.length);
});
