/** The counters add up: what was received was inserted, was there already, or is a dead letter. */
import type { Sample } from '../../../src/shared/metrics-text.ts';
import { total } from '../../../src/shared/metrics-text.ts';
import type { Check, Evidence } from './check.ts';

interface Processed {
  readonly inserted: number;
  readonly duplicate: number;
  readonly deadLettered: number;
}

function processed(samples: readonly Sample[]): Processed {
  const writes = (status: string): number => total(samples, 'processor_position_writes_total', { status });
  return { inserted: writes('inserted'), duplicate: writes('duplicate'), deadLettered: writes('failed') };
}

function sum({ inserted, duplicate, deadLettered }: Processed): number {
  return inserted + duplicate + deadLettered;
}

function has(samples: readonly Sample[], name: string): boolean {
  return samples.some((sample) => sample.name === name);
}

/** Each processor by itself: of what it has read nothing is unaccounted for. */
function perProcessor({ metrics }: Evidence): string[] {
  return [...metrics].flatMap(([program, samples]) => {
    if (!has(samples, 'processor_consumer_records_total')) return [];
    const read = total(samples, 'processor_consumer_records_total');
    const done = processed(samples);
    return read === sum(done) ? [] : [`${program.name} has read ${read} records and accounts for ${JSON.stringify(done)}`];
  });
}

/** All together, where every process has lived through it: a new process counts from zero. */
function together({ fault, metrics }: Evidence): string[] {
  const programs = [...metrics.keys()];
  if (programs.some(({ generation }) => generation > 1)) return [];
  const samples = [...metrics.values()].flat();
  const received = total(samples, 'odograph_ingest_records_total');
  const done = sum(processed(samples));
  const mayDiffer = received < done ? fault.repeats : fault.loses;
  if (received === done || mayDiffer === true) return [];
  return [`${received} records received, ${JSON.stringify(processed(samples))} processed`];
}

/** What is open, waiting or queued when nothing happens any more. */
function leftOver({ metrics }: Evidence): string[] {
  const gauges = [
    'odograph_ingest_connections', 'odograph_ingest_append_queue_bytes', 'odograph_ingest_paused_sockets',
    'processor_queue_records',
  ];
  return [...metrics].flatMap(([program, samples]) => gauges.flatMap((name) => {
    const value = total(samples, name);
    return value === 0 ? [] : [`${program.name}: ${name} is ${value} at rest`];
  }));
}

export const counters: Check = (evidence) => [...perProcessor(evidence), ...together(evidence), ...leftOver(evidence)];
