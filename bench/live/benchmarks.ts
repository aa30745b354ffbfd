/** The benchmarks of the live server. */
import type { Benchmark } from '../benchmark.ts';
import { connections } from './connections.ts';
import { fanOut } from './fan-out.ts';
import { latency } from './latency.ts';

export const liveBenchmarks: readonly Benchmark[] = [fanOut, latency, connections];
