/** The parameters of a series, and what they ask for together. What contradicts itself is a `Problem` that names it. */
import { z } from 'zod';
import { invalidParameter } from '../cursor.ts';
import type { Buckets, TimeRange } from '../calendar/buckets.ts';
import { TooManyBuckets, cutIntoBuckets } from '../calendar/buckets.ts';
import type { Step } from '../calendar/step.ts';
import { STEP_EXPECTED, parseStep, usualStep } from '../calendar/step.ts';
import { isTimeZone } from '../calendar/time-zone.ts';
import { commaSeparated, text, time } from '../parameters.ts';
import { Problem } from '../../http/problem.ts';
import { AGGREGATES, isPercentile } from './aggregates.ts';
import type { Aggregate } from './aggregates.ts';
import type { Measure } from './names.ts';
import { FIELD_NAMES, aggregatesOf, measureOf, rolledUpAggregatesOf } from './names.ts';
import { SOURCES } from './routing.ts';
import type { Source } from './routing.ts';

const DAY_MS = 86_400_000;
/** So that the end of a range that nobody named is the same for questions that come one after the other. */
const NOW_MS = 10_000;
const MAX_NAMES = 20;
/** Buckets of one series; those of all together are limited where it is known how many series there are. */
const MAX_BUCKETS = 20_000;

const step = z.string().max(20).transform((value, context): Step => {
  const parsed = parseStep(value);
  if (parsed !== undefined) return parsed;
  context.addIssue({ code: 'custom', message: `expected ${STEP_EXPECTED}` });
  return z.NEVER;
});

export const timeZone = z
  .string()
  .min(1)
  .max(64)
  .refine(isTimeZone, { error: 'expected the name of a time zone, such as Europe/Berlin' })
  .describe('In which days, weeks and months begin, such as `Europe/Berlin`. Without it: UTC.');

export const rangeParameters = {
  from: time.optional().describe('First instant, ISO 8601 or epoch milliseconds. Without it: 24 hours before `to`.'),
  to: time.optional().describe('First instant after the range, ISO 8601 or epoch milliseconds. Without it: now.'),
  timeZone: timeZone.optional(),
};

const name = text(256);

const shared = {
  ...rangeParameters,
  name: z.union([z.array(name).min(1).max(MAX_NAMES), name], { error: `expected the name of a field or of an attribute, once or up to ${MAX_NAMES} times` })
    .describe(`What to show: a field (${FIELD_NAMES.join(', ')}) or the name of an attribute; an attribute that is called like a field is \`attributes.speed\`. Repeat it for several, up to ${MAX_NAMES}.`),
  step: step.optional().describe(`How long a bucket is: ${STEP_EXPECTED}. Without it: what makes at most 500 buckets.`),
  agg: commaSeparated(AGGREGATES.length).pipe(z.array(z.enum(AGGREGATES))).optional()
    .describe(`What to tell of the values in a bucket, separated by commas: ${AGGREGATES.join(', ')}. Without it: avg.`),
  source: z.enum(SOURCES).optional().describe('What to answer from, instead of what the range suggests.'),
  gaps: z.enum(['skip', 'null']).optional().describe('Buckets without a value: left out (`skip`, which is the default), or there with `null`.'),
};

export const deviceSeriesParameters = z.object(shared);

export const MAX_DEVICES = 1_000;
export const MAX_GROUPS = 100;

export const chosenDevicesParameters = {
  devices: commaSeparated(MAX_DEVICES).optional().describe('Identifiers of trackers, separated by commas. Without `devices` and `groups`: all that the caller sees.'),
  groups: commaSeparated(MAX_GROUPS).pipe(z.array(z.uuid())).optional().describe('Ids of groups, separated by commas: their present members.'),
};

export const seriesParameters = z.object({
  ...shared,
  ...chosenDevicesParameters,
  by: z.enum(['device', 'group', 'all']).optional().describe('A series for each device (`device`, which is the default), for each of `groups`, or one for all devices together.'),
});

export type SeriesParameters = z.infer<typeof seriesParameters>;
export type SeriesBy = 'device' | 'group' | 'all';

/** What is asked for, with nothing left open. */
export interface SeriesQuestion {
  readonly range: TimeRange;
  readonly buckets: Buckets;
  readonly timeZone: string;
  readonly names: readonly string[];
  readonly measures: readonly Measure[];
  readonly aggregates: readonly Aggregate[];
  readonly forced: Source | undefined;
  readonly fillsGaps: boolean;
  readonly by: SeriesBy;
}

/** @throws Problem `invalid_request` */
export function rangeOf(parameters: { from?: number | undefined; to?: number | undefined }, now: number): TimeRange {
  const to = parameters.to ?? Math.ceil(now / NOW_MS) * NOW_MS;
  const from = parameters.from ?? to - DAY_MS;
  if (from >= to) throw invalidParameter('from', `expected a time before \`to\` (${new Date(to).toISOString()})`);
  return { from, to };
}

/** @throws Problem `too_expensive` */
export function bucketsOf(range: TimeRange, wanted: Step, zone: string, limit: number): Buckets {
  try {
    return cutIntoBuckets(range, wanted, zone, limit);
  } catch (error) {
    if (!(error instanceof TooManyBuckets)) throw error;
    throw new Problem('too_expensive', `this would have ${error.message}; narrow the range, or use a longer step`);
  }
}

function refuseMeaningless(measures: readonly Measure[], aggregates: readonly Aggregate[]): void {
  for (const measure of measures) {
    const able = aggregatesOf(measure);
    const unable = aggregates.find((aggregate) => !able.includes(aggregate));
    if (unable !== undefined) throw invalidParameter('agg', `${unable} of ${measure.name} says nothing; it has ${able.join(', ')}`);
  }
}

/** @throws Problem */
export function questionOf(parameters: SeriesParameters, now: number): SeriesQuestion {
  const { timeZone: zone = 'UTC', agg: aggregates = ['avg'], by = 'device', groups, devices } = parameters;
  if (by === 'group' && groups === undefined) throw invalidParameter('groups', 'expected the groups that by=group is about');
  if (by === 'group' && devices !== undefined) throw invalidParameter('devices', 'a device has no part in by=group');
  const range = rangeOf(parameters, now);
  const names = [...new Set([parameters.name].flat())];
  const measures = names.map(measureOf);
  refuseMeaningless(measures, aggregates);
  const buckets = bucketsOf(range, parameters.step ?? usualStep(range.to - range.from), zone, MAX_BUCKETS);
  const fillsGaps = parameters.gaps === 'null';
  return { range, buckets, timeZone: zone, names, measures, aggregates, forced: parameters.source, fillsGaps, by };
}

/** Why rollups cannot answer; null: they can. */
export function needsRaw({ measures, aggregates, by }: Pick<SeriesQuestion, 'measures' | 'aggregates' | 'by'>): string | null {
  const percentile = aggregates.find(isPercentile);
  if (percentile !== undefined) return `${percentile} comes from the records alone`;
  for (const measure of measures) {
    const missing = aggregates.find((aggregate) => !rolledUpAggregatesOf(measure).includes(aggregate));
    if (missing !== undefined) return `${missing} of ${measure.name} is in no rollup`;
  }
  const isEdge = aggregates.some((aggregate) => aggregate === 'first' || aggregate === 'last');
  return isEdge && by !== 'device' ? 'which device was the first within a minute or hour is in no rollup' : null;
}
