/** What a histogram of `/metrics` has counted between two readings. Pure. */
import type { Sample } from '../../src/shared/metrics-text.ts';

interface Bucket {
  readonly upTo: number;
  readonly count: number;
}

function buckets(samples: readonly Sample[], name: string): Bucket[] {
  return samples
    .filter((sample) => sample.name === `${name}_bucket`)
    .map(({ labels, value }) => ({ upTo: labels.get('le') === '+Inf' ? Infinity : Number(labels.get('le')), count: value }));
}

/** The value below which this share lies, interpolated within its bucket as Prometheus does; NaN when there is none. */
export function quantileBetween(
  before: readonly Sample[], after: readonly Sample[], name: string, share: number,
): number {
  const earlier = new Map(buckets(before, name).map(({ upTo, count }) => [upTo, count]));
  const counted = buckets(after, name).map(({ upTo, count }) => ({ upTo, count: count - (earlier.get(upTo) ?? 0) }));
  const wanted = share * (counted.at(-1)?.count ?? 0);
  const index = counted.findIndex(({ count }) => count >= wanted && count > 0);
  const found = counted[index];
  if (found === undefined) return Number.NaN;
  const below = counted[index - 1] ?? { upTo: 0, count: 0 };
  if (found.upTo === Infinity) return below.upTo;
  return below.upTo + ((found.upTo - below.upTo) * (wanted - below.count)) / (found.count - below.count);
}
