/** Series told record by record in the plainest way: what every source has to agree with. */
import type { PositionRow } from '../../../src/core/copy-rows.ts';
import type { Aggregate } from '../../../src/query/series/aggregates.ts';

export interface Sample {
  readonly deviceId: number;
  readonly ts: number;
  readonly eventId: number;
  readonly value: number;
}

const FIELDS = new Set(['speed', 'altitude', 'hdop', 'satellites', 'latitude', 'longitude', 'course']);
const SINGLE = new Set(['speed', 'altitude', 'hdop', 'course']);

function valueOf({ record }: PositionRow, name: string): number | null {
  if (FIELDS.has(name)) {
    const value = record[name as 'speed'];
    if (value === null) return null;
    return SINGLE.has(name) ? Math.fround(value) : value;
  }
  const attribute = (JSON.parse(String(record.attributesJson)) as Record<string, unknown>)[name];
  if (typeof attribute === 'boolean') return attribute ? 1 : 0;
  return typeof attribute === 'number' ? attribute : null;
}

/** The values of a measure in the order of their records. */
export function samplesOf(rows: readonly PositionRow[], name: string): Sample[] {
  return rows.flatMap((row) => {
    const value = valueOf(row, name);
    return value === null ? [] : [{ deviceId: row.deviceId, ts: row.record.ts, eventId: row.record.eventId, value }];
  }).toSorted((a, b) => a.ts - b.ts || a.eventId - b.eventId || a.deviceId - b.deviceId);
}

function percentile(values: readonly number[], fraction: number): number {
  const sorted = values.toSorted((a, b) => a - b);
  const at = fraction * (sorted.length - 1);
  const [low, high] = [sorted[Math.floor(at)]!, sorted[Math.ceil(at)]!];
  return low + (at - Math.floor(at)) * (high - low);
}

/** @param samples not empty, in order */
export function aggregate(samples: readonly Sample[], which: Aggregate): number {
  const values = samples.map(({ value }) => value);
  const sum = values.reduce((total, value) => total + value, 0);
  switch (which) {
    case 'avg': return sum / values.length;
    case 'sum': return sum;
    case 'count': return values.length;
    case 'min': return Math.min(...values);
    case 'max': return Math.max(...values);
    case 'first': return values[0]!;
    case 'last': return values.at(-1)!;
    case 'p50': return percentile(values, 0.5);
    case 'p95': return percentile(values, 0.95);
    case 'p99': return percentile(values, 0.99);
  }
}

/** Aggregates by bucket: an array of [start, values in the order of `which`]. */
export function buckets(
  samples: readonly Sample[],
  bucketOf: (ts: number) => number,
  which: readonly Aggregate[],
): [number, number[]][] {
  const groups = Map.groupBy(samples, ({ ts }) => bucketOf(ts));
  return [...groups].toSorted(([a], [b]) => a - b)
    .map(([start, inside]) => [start, which.map((one) => aggregate(inside, one))]);
}
