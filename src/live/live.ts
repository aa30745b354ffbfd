/**
 * The live role: shows viewers what comes in, over WebSocket and server-sent events. It reads the stream by itself, so
 * it goes on while the database is down, and knows nothing of the processor.
 *
 * Stopping takes nobody in any more, says goodbye to the viewers, and removes what this process has in Redis.
 */
import { randomBytes } from 'node:crypto';
import type { Pool } from 'pg';
import type { Registry } from 'prom-client';
import type { Authority } from '../auth/authority.ts';
import type { Settings } from '../config/settings.ts';
import type { Logger } from '../observability/logger.ts';
import { createLiveMetrics } from '../observability/metrics/live.ts';
import { liveGroup } from '../shared/contracts/live-groups.ts';
import { telemetryStreams } from '../shared/contracts/telemetry-stream.ts';
import type { Redis } from '../shared/redis.ts';
import { connectRedis, waitForRedis } from '../shared/redis.ts';
import { repeat, untilDone } from '../shared/retry.ts';
import type { Role } from '../shared/role.ts';
import { settledBy } from '../shared/wait.ts';
import { Broadcast } from './feed/broadcast.ts';
import type { Cursor } from './messages/cursor.ts';
import type { LiveEvents } from './events.ts';
import { createLiveEvents } from './events.ts';
import type { Hub } from './hub.ts';
import { createHub, readAgain } from './hub.ts';
import { LiveServer } from './requests/server.ts';
import { StreamGroup } from './feed/stream-group.ts';
import type { WarmUp } from './feed/warm-up.ts';
import { warmUp } from './feed/warm-up.ts';

export interface LiveOptions {
  readonly settings: Settings;
  readonly redisUrl: string;
  /** A connection for commands that do not block. */
  readonly redis: Redis;
  readonly pool: Pool;
  /** Started here where nobody has, and stopped by whoever has made it. */
  readonly authority: Authority;
  readonly registry: Registry;
  readonly log: Logger;
}

export interface Live extends Role {
  /** Once it listens. */
  readonly port: number;
}

const REAP_INTERVAL_MS = 15_000;
const SIZE_INTERVAL_MS = 5_000;
const LEASE_SHARE = 3;
/** Of SHUTDOWN_TIMEOUT_MS: ingest has had half of it, and the processor needs most of the rest. */
const DRAIN_SHARE = 0.1;
const LEAVE_TIMEOUT_MS = 1_000;

class LiveRole implements Live {
  readonly name = 'live';
  readonly #options: LiveOptions;
  readonly #events: LiveEvents;
  readonly #server: LiveServer;
  readonly #streams: readonly string[];
  readonly #group: string;
  readonly #streamGroup: StreamGroup;
  readonly #stopping = new AbortController();
  #blocking: Redis | null = null;
  #hub: Hub | null = null;
  #running: Promise<unknown> = Promise.resolve();
  #starting: Promise<void> | null = null;

  constructor(options: LiveOptions) {
    const { settings, redis, authority: { provider } } = options;
    this.#options = options;
    this.#events = createLiveEvents(createLiveMetrics(options.registry), options.log);
    this.#server = new LiveServer({ settings, provider, events: this.#events, hub: () => this.#hub });
    this.#streams = telemetryStreams(settings.STREAM_PARTITIONS);
    const { LIVE_BROADCAST_GROUP_PREFIX: prefix, LIVE_BROADCAST_GROUP_EXPIRY_MS: expiryMs } = settings;
    // Of this run alone: two processes of one INSTANCE_ID would each see a part of the feed.
    this.#group = liveGroup(prefix, `${settings.INSTANCE_ID}:${randomBytes(6).toString('hex')}`);
    this.#streamGroup = new StreamGroup({ redis, streams: this.#streams, prefix, group: this.#group, expiryMs });
  }

  get port(): number {
    return this.#server.port;
  }

  get isStarted(): boolean {
    return this.#hub !== null;
  }

  /** What live needs is Redis, which has a probe of its own. */
  readonly impediment = null;

  start(): Promise<void> {
    this.#starting ??= this.#start();
    return this.#starting;
  }

  async stop(): Promise<void> {
    const { settings, redis } = this.#options;
    this.#stopping.abort();
    const drainMs = Math.min(settings.LIVE_WS_DRAIN_TIMEOUT_MS, settings.SHUTDOWN_TIMEOUT_MS * DRAIN_SHARE);
    await this.#server.stop(AbortSignal.timeout(Math.max(1, Math.floor(drainMs))));
    this.#blocking?.disconnect();
    const deadline = AbortSignal.timeout(LEAVE_TIMEOUT_MS);
    await settledBy(deadline, this.#starting ?? Promise.resolve(), this.#running);
    const hasJoined = this.#hub !== null;
    this.#hub = null;
    // What a frozen Redis keeps the others remove when the lease has run out.
    if (hasJoined && redis.status === 'ready') await settledBy(deadline, this.#streamGroup.leave());
  }

  async #start(): Promise<void> {
    const { signal } = this.#stopping;
    await this.#server.listen();
    const joined = await this.#join();
    if (joined === null || signal.aborted) return;
    const { settings, pool, authority: { sessions } } = this.#options;
    const { start, warm } = joined;
    const coveredFrom = warm.map((one) => one.coveredFrom);
    const parts = { settings, sessions, pool, events: this.#events, signal };
    const hub = createHub({ ...parts, start, coveredFrom });
    for (const [partition, { entries }] of warm.entries()) {
      for (const { entryId, positions } of entries) {
        for (const position of positions) hub.known.observe(position, { partition, entryId });
      }
    }
    this.#running = this.#run(hub);
    this.#options.authority.start();
    this.#hub = hub;
    this.#events.joined(this.#group, this.#streams.length);
  }

  /** Joins the stream at its end, and reads what it still holds; null: stopped before that. */
  async #join(): Promise<{ start: Cursor; warm: readonly WarmUp[] } | null> {
    const { redis } = this.#options;
    const { signal } = this.#stopping;
    let start: Cursor = [];
    let warm: readonly WarmUp[] = [];
    const attempts = { what: 'joining the stream', signal, onError: this.#events.upkeepFailed };
    const joined = await untilDone(attempts, async () => {
      await waitForRedis(redis, signal);
      start = await this.#streamGroup.join();
      warm = await Promise.all(this.#streams.map((stream, partition) => warmUp(redis, stream, start[partition] ?? '0-0')));
    });
    return joined ? { start, warm } : null;
  }

  async #run(hub: Hub): Promise<void> {
    const { settings } = this.#options;
    const { signal } = this.#stopping;
    const every = (what: string, intervalMs: number, work: () => Promise<unknown>): Promise<void> =>
      repeat({ what, intervalMs, signal, onError: this.#events.upkeepFailed }, work);
    const leaseMs = settings.LIVE_BROADCAST_GROUP_EXPIRY_MS / LEASE_SHARE;
    await Promise.all([
      this.#createBroadcast(hub).run(),
      hub.refresher.run(),
      every('renewing the lease', leaseMs, () => this.#streamGroup.renewLease()),
      every('removing dead groups', REAP_INTERVAL_MS, async () => { this.#events.groupsReaped(await this.#streamGroup.reap()); }),
      every('measuring', SIZE_INTERVAL_MS, async () => {
        this.#events.knownDevices(hub.known.size);
        this.#events.groupsAge(hub.refresher.ageMs);
      }),
    ]);
  }

  #createBroadcast(hub: Hub): Broadcast {
    const { settings, redisUrl } = this.#options;
    this.#blocking = connectRedis(redisUrl, {
      name: `odograph/live/${settings.INSTANCE_ID}/stream`,
      commandTimeoutMs: settings.LIVE_BROADCAST_BATCH_BLOCK_MS + settings.INGEST_APPEND_TIMEOUT_MS,
      onError: () => undefined, // the broadcast reports what a lost connection means to it
    });
    return new Broadcast({
      redis: this.#blocking,
      streams: this.#streams,
      group: this.#group,
      streamGroup: this.#streamGroup,
      feed: hub.feed,
      states: hub.states,
      batchSize: settings.LIVE_BROADCAST_BATCH_SIZE,
      blockMs: settings.LIVE_BROADCAST_BATCH_BLOCK_MS,
      tickMs: settings.LIVE_BROADCAST_TICK_MS,
      events: this.#events,
      onRestored: () => { readAgain(hub); },
      signal: this.#stopping.signal,
    });
  }
}

/** The live server of this process. */
export function createLive(options: LiveOptions): Live {
  return new LiveRole(options);
}
