/** The naive pipeline: its two processes, its trackers, and one round of it. */
import { createBenchDatabase } from '../support/database.ts';
import { Forked } from '../support/forked.ts';
import { withRedis } from '../support/redis.ts';
import { imeisOf } from '../support/sample-frames.ts';
import type { BenchServers } from '../support/servers.ts';
import { Trackers } from '../support/trackers.ts';
import type { NaiveConsumerCommand } from './naive-consumer.ts';
import type { NaiveIngestAnswer, NaiveIngestCommand } from './naive-ingest.ts';

export class NaivePipeline {
  readonly postgresUrl: string;
  readonly trackers = new Trackers();
  readonly #ingest = new Forked<NaiveIngestCommand, NaiveIngestAnswer>(new URL('naive-ingest.ts', import.meta.url));
  readonly #consumer = new Forked<NaiveConsumerCommand, { readonly rows: number }>(new URL('naive-consumer.ts', import.meta.url));
  readonly #redisUrl: string;
  #stored = 0;

  private constructor(redisUrl: string, postgresUrl: string) {
    this.#redisUrl = redisUrl;
    this.postgresUrl = postgresUrl;
  }

  /** Over the same servers, with a database of its own. */
  static async start(servers: BenchServers, devices: number): Promise<NaivePipeline> {
    const redisUrl = servers.redis.url;
    const naive = new NaivePipeline(redisUrl, await createBenchDatabase(servers, imeisOf(devices)));
    await naive.#consumer.ask({ type: 'start', redisUrl, postgresUrl: naive.postgresUrl });
    const { port } = await naive.#ingest.ask({ redisUrl });
    await naive.trackers.ask({ type: 'prepare', plan: { devices, framesEach: 0, recordsPerFrame: 1, firstRecord: 0 } });
    await naive.trackers.ask({ type: 'connect', ports: [port] });
    return naive;
  }

  /** Resolves when so many more positions are stored than at its last end. */
  async untilStored(positions: number): Promise<void> {
    this.#stored += positions;
    await this.#consumer.ask({ type: 'until', rows: this.#stored });
  }

  /** Takes out of the stream what is stored, which others would pay for when Redis rewrites its append-only file. */
  async clear(): Promise<void> {
    await withRedis(this.#redisUrl, (redis) => redis.xtrim('naive', 'MAXLEN', 0));
  }

  stop(): void {
    for (const process of [this.trackers, this.#ingest, this.#consumer]) process.stop();
  }
}
