/** The answer of a series, out of the rows that the database gave. Pure. */
import { z } from 'zod';
import { STEP_EXPECTED, stepText } from '../calendar/step.ts';
import type { TextRow } from '../database.ts';
import type { Aggregate } from './aggregates.ts';
import { AGGREGATES } from './aggregates.ts';
import type { Measure } from './names.ts';
import type { SeriesQuestion } from './question.ts';
import { shortestSingle, toSingleDigits } from './rounding.ts';
import { SOURCES } from './routing.ts';
import type { Source } from './routing.ts';

const value = z.number().nullable().optional();

const pointSchema = z
  .object({
    ts: z.number().describe('Start of the bucket, epoch milliseconds.'),
    ...Object.fromEntries(AGGREGATES.map((aggregate) => [aggregate, value])) as Record<Aggregate, typeof value>,
  })
  .meta({ id: 'SeriesPoint', description: 'A bucket: the aggregates that were asked for.' });

export const seriesSchema = z
  .object({
    from: z.number().describe('Start of the first bucket, epoch milliseconds: the range is widened to whole buckets.'),
    to: z.number().describe('End of the last bucket, epoch milliseconds.'),
    step: z.string().describe(STEP_EXPECTED),
    timeZone: z.string(),
    source: z.enum(SOURCES).describe('What the answer is made of.'),
    series: z.array(z.object({
      deviceId: z.string().optional(),
      groupId: z.string().optional(),
      name: z.string(),
      points: z.array(pointSchema),
    })),
  })
  .meta({ id: 'Series' });

/** Whose a series is; neither: it is of all devices together. */
export interface Subject {
  readonly deviceId?: string;
  readonly groupId?: string;
}

type Point = Record<string, number | null>;

function valueOf(text: string | null, measure: Measure, aggregate: Aggregate): number | null {
  const number = text === null ? Number.NaN : Number(text);
  if (!Number.isFinite(number)) return null;
  if (measure.kind === 'attribute' || !measure.field.isSingle || aggregate === 'count') return number;
  const isStored = aggregate === 'min' || aggregate === 'max' || aggregate === 'first' || aggregate === 'last';
  return isStored ? shortestSingle(number) : toSingleDigits(number);
}

function pointOf(ts: number, row: TextRow | undefined, index: number, { measures, aggregates }: SeriesQuestion): Point {
  const measure = measures[index] as Measure;
  const first = 2 + index * aggregates.length;
  const empty = (aggregate: Aggregate): number | null => (aggregate === 'count' ? 0 : null);
  return {
    ts,
    ...Object.fromEntries(aggregates.map((aggregate, at) => [
      aggregate, row === undefined ? empty(aggregate) : valueOf(row[first + at] ?? null, measure, aggregate),
    ])),
  };
}

/** A bucket in which nothing has the measure. */
function isEmpty(point: Point): boolean {
  return Object.entries(point).every(([name, one]) => name === 'ts' || one === null || (name === 'count' && one === 0));
}

function pointsOf(rows: ReadonlyMap<number, TextRow>, index: number, question: SeriesQuestion): Point[] {
  const { buckets: { starts }, fillsGaps } = question;
  if (fillsGaps) return starts.map((ts, bucket) => pointOf(ts, rows.get(bucket), index, question));
  return [...rows]
    .map(([bucket, row]) => pointOf(starts[bucket] as number, row, index, question))
    .filter((point) => !isEmpty(point));
}

/**
 * @param rows as the statement of `seriesSql` gives them
 * @param subjects those that there is a series for, by the key of their rows, in the order of the answer
 */
export function answerOf(
  question: SeriesQuestion,
  source: Source,
  rows: readonly TextRow[],
  subjects: ReadonlyMap<string, Subject>,
): z.infer<typeof seriesSchema> {
  const byKey = new Map([...subjects.keys()].map((key) => [key, new Map<number, TextRow>()]));
  for (const row of rows) byKey.get(row[0] ?? '')?.set(Number(row[1]), row);
  const { buckets, timeZone, names } = question;
  const series = [...subjects].flatMap(([key, subject]) => names.map((name, index) => ({
    ...subject, name,
    points: pointsOf(byKey.get(key) ?? new Map<number, TextRow>(), index, question) as { ts: number }[],
  })));
  return { from: buckets.from, to: buckets.to, step: stepText(buckets.step), timeZone, source, series };
}
