/** Ingest and core as processes of their own over the servers of the run, and trackers that are connected to them. */
import { createBenchDatabase } from '../support/database.ts';
import { flushRedis } from '../support/redis.ts';
import { imeisOf } from '../support/sample-frames.ts';
import type { BenchServers } from '../support/servers.ts';
import type { System } from '../support/system.ts';
import { startSystem } from '../support/system.ts';
import { Trackers } from '../support/trackers.ts';

export interface Pipeline {
  readonly postgresUrl: string;
  readonly ingest: System;
  readonly core: System;
  readonly trackers: Trackers;
  /** By the names under which CPU time is reported. */
  readonly pids: Readonly<Record<string, number>>;
  stop(): Promise<void>;
}

export interface PipelineOptions {
  readonly devices: number;
  /** A database that knows the devices. Absent: a new one. */
  readonly postgresUrl?: string;
  /** Another Redis than that of the run. */
  readonly redis?: { readonly url: string; readonly pid: number };
  /** Beside the defaults. */
  readonly settings?: Readonly<Record<string, string>>;
}

/** Over an empty Redis and a database that knows the devices. */
export async function startPipeline(servers: BenchServers, options: PipelineOptions): Promise<Pipeline> {
  const { devices, redis = servers.redis, settings = {} } = options;
  await flushRedis(redis.url);
  const postgresUrl = options.postgresUrl ?? await createBenchDatabase(servers, imeisOf(devices));
  const environment = { REDIS_URL: redis.url, POSTGRES_URL: postgresUrl, ...settings };
  const core = await startSystem({ ...environment, ROLES: 'core' });
  const ingest = await startSystem({ ...environment, ROLES: 'ingest' });
  const trackers = new Trackers();
  await trackers.ask({ type: 'prepare', plan: { devices, framesEach: 0, recordsPerFrame: 1, firstRecord: 0 } });
  await trackers.ask({ type: 'connect', ports: [ingest.trackerPort] });
  return {
    postgresUrl,
    ingest,
    core,
    trackers,
    pids: {
      ingest: ingest.program.pid, core: core.program.pid, Redis: redis.pid, PostgreSQL: servers.postgres.pid,
      'load generator': trackers.pid,
    },
    stop: async () => {
      trackers.stop();
      await ingest.program.stop();
      await core.program.stop();
    },
  };
}
