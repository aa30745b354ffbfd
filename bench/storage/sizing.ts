/** What a million positions take: on disk, fresh and compressed, and in Redis while the database is away. */
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { Client } from 'pg';
import type { Redis } from '../../src/shared/redis.ts';
import type { Benchmark, BenchOptions, Figure, Outcome } from '../benchmark.ts';
import { createBenchDatabase, withClient } from '../support/database.ts';
import { withRedis } from '../support/redis.ts';
import { sampleEntries } from '../support/sample-entries.ts';
import { imeisOf } from '../support/sample-frames.ts';
import { findCopier, writeCopyText } from './copy-text.ts';

const DEVICES = 100;
const MIB = 1024 * 1024;
const MILLION = 1_000_000;
const APPENDS_AT_ONCE = 500;

/** Of positions with its indexes, all chunks or partitions. */
async function diskBytes(client: Client, isHypertable: boolean): Promise<number> {
  const size = isHypertable
    ? 'select hypertable_size(\'positions\') as bytes'
    : 'select sum(pg_total_relation_size(relid)) as bytes from pg_partition_tree(\'positions\')';
  const { rows } = await client.query<{ bytes: string }>(size);
  return Number(rows[0]?.bytes);
}

async function onDisk({ servers }: BenchOptions, recordsEach: number): Promise<Figure[]> {
  const file = join(servers.folder, 'sizing.copy');
  await writeCopyText(file, { devices: DEVICES, firstRecord: 0, recordsEach, recordsPerFrame: 10 });
  const url = await createBenchDatabase(servers, imeisOf(DEVICES));
  await (await findCopier()).copy(url, file);
  await rm(file);
  return await withClient(url, async (client) => {
    const { rows } = await client.query('select from pg_extension where extname = \'timescaledb\'');
    const isHypertable = rows.length > 0;
    const perMillion = async (): Promise<number> =>
      ((await diskBytes(client, isHypertable)) / (DEVICES * recordsEach)) * (MILLION / MIB);
    const fresh = { name: 'on disk with indexes, a million positions', unit: 'MiB', values: [await perMillion()] };
    if (!isHypertable) return [fresh];
    await client.query('select compress_chunk(c) from show_chunks(\'positions\') c');
    return [fresh, { name: 'the same, compressed by TimescaleDB', unit: 'MiB', values: [await perMillion()] }];
  });
}

async function usedMemory(redis: Redis): Promise<number> {
  return Number(/^used_memory:(\d+)/m.exec(await redis.info('memory'))?.[1]);
}

async function inRedis({ servers }: BenchOptions, recordsEach: number, recordsPerFrame: number): Promise<Figure> {
  const bytes = await withRedis(servers.redis.url, async (redis) => {
    await redis.flushall();
    const before = await usedMemory(redis);
    let pipeline = redis.pipeline();
    for (const { append } of sampleEntries({ devices: DEVICES, firstRecord: 0, recordsEach, recordsPerFrame })) {
      pipeline.call('XADD', append.stream, '*', ...append.fields);
      if (pipeline.length < APPENDS_AT_ONCE) continue;
      await pipeline.exec();
      pipeline = redis.pipeline();
    }
    await pipeline.exec();
    const used = (await usedMemory(redis)) - before;
    await redis.flushall();
    return used;
  });
  const perMillion = (bytes / (DEVICES * recordsEach)) * (MILLION / MIB);
  return { name: `in the stream, a million positions, ${recordsPerFrame} a frame`, unit: 'MiB', values: [perMillion] };
}

async function run(options: BenchOptions): Promise<Outcome> {
  const recordsEach = options.quick ? 500 : 10_000;
  const inStream: Figure[] = [];
  for (const recordsPerFrame of [1, 10, 50]) inStream.push(await inRedis(options, recordsEach, recordsPerFrame));
  return { figures: [...(await onDisk(options, recordsEach)), ...inStream] };
}

export const sizing: Benchmark = { name: 'sizing', what: 'disk and memory of a million positions with 12 attributes', run };
