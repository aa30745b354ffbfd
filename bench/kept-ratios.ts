/**
 * What `npm run bench -- … --check` compares with: ratios as a short run on a quiet machine gave them. A collapse is
 * less than half as good; anything above that may be the noise of a machine that others use too. Pure.
 */
import type { Outcome } from './benchmark.ts';
import { summarise } from './support/statistics.ts';

export interface KeptRatio {
  readonly benchmark: string;
  readonly ratio: string;
  readonly kept: number;
  readonly better: 'more' | 'less';
}

/** How much worse than what is kept is a collapse. */
const COLLAPSE = 2;

/** Of `--quick` runs: they are shorter than what docs/performance.md shows, and so less warmed up. */
export const KEPT_RATIOS: readonly KeptRatio[] = [
  { benchmark: 'decode', ratio: 'decode, 10 a frame ÷ complete-teltonika-parser', kept: 13, better: 'more' },
  { benchmark: 'ingest', ratio: 'ingest ÷ null sink, CPU a frame of 1', kept: 2.4, better: 'less' },
  { benchmark: 'append', ratio: 'publisher ÷ pipelines by hand', kept: 0.8, better: 'more' },
  { benchmark: 'writer', ratio: 'writer ÷ COPY text', kept: 0.9, better: 'more' },
  { benchmark: 'end-to-end', ratio: 'stored, 1 a frame ÷ COPY text', kept: 0.17, better: 'more' },
  { benchmark: 'end-to-end', ratio: 'stored, 10 a frame ÷ COPY text', kept: 0.6, better: 'more' },
  { benchmark: 'end-to-end', ratio: 'stored, 10 a frame ÷ naive pipeline', kept: 3.5, better: 'more' },
  { benchmark: 'live-fan-out', ratio: 'deliveries over the ws.send loop', kept: 6.2, better: 'more' },
];

function collapse({ benchmark, ratio, kept, better }: KeptRatio, outcome: Outcome): string[] {
  const values = outcome.ratios?.find(({ name }) => name === ratio)?.values ?? [];
  const { median } = summarise(values);
  const worse = better === 'more' ? kept / median : median / kept;
  // Not the other way round: a ratio that was not measured is NaN.
  if (worse <= COLLAPSE) return [];
  return [`${benchmark}: ${ratio} is ${median.toPrecision(3)}, and ${kept} is kept`];
}

/** The kept ratios that have collapsed, or are not there, in what was measured; of other benchmarks nothing is said. */
export function collapsed(
  results: Readonly<Record<string, Outcome>>, keptRatios: readonly KeptRatio[] = KEPT_RATIOS,
): string[] {
  return keptRatios.flatMap((kept) => {
    const outcome = results[kept.benchmark];
    return outcome === undefined ? [] : collapse(kept, outcome);
  });
}
