/** What a bucket of a series may tell of its values. */

export const AGGREGATES = ['avg', 'min', 'max', 'sum', 'count', 'first', 'last', 'p50', 'p95', 'p99'] as const;
export type Aggregate = (typeof AGGREGATES)[number];

/** The fraction of values below a percentile. Linear between the two nearest values, as percentile_cont has it. */
export const PERCENTILES = { p50: 0.5, p95: 0.95, p99: 0.99 } as const;
export type Percentile = keyof typeof PERCENTILES;

export function isPercentile(aggregate: Aggregate): aggregate is Percentile {
  return Object.hasOwn(PERCENTILES, aggregate);
}
