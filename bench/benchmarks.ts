/** Every benchmark, in the order in which all of them run. */
import type { Benchmark } from './benchmark.ts';
import { cost } from './ingest/cost.ts';
import { hostile } from './ingest/hostile.ts';
import { httpWrite } from './ingest/http-write.ts';
import { idle } from './ingest/idle.ts';
import { liveBenchmarks } from './live/benchmarks.ts';
import { decode } from './protocols/decode.ts';
import { growth } from './storage/growth.ts';
import { rollups } from './storage/rollups.ts';
import { sizing } from './storage/sizing.ts';
import { writer } from './storage/writer.ts';
import { queryOpenHour } from './query/open-hour.ts';
import { query, queryPartitions } from './query/query.ts';
import { append } from './stream/append.ts';
import { endToEnd } from './whole/end-to-end.ts';
import { overload } from './whole/overload.ts';
import { paced } from './whole/paced.ts';

export const BENCHMARKS: readonly Benchmark[] = [
  decode, cost, httpWrite, append, writer, endToEnd, paced, overload, idle, growth, rollups, sizing, hostile, query,
  queryPartitions, queryOpenHour, ...liveBenchmarks,
];
