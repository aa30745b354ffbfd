/**
 * Which level of the history answers a series: the records themselves, or their rollups by minute or hour. Pure.
 *
 * By default raw up to an hour, minutes up to a day, hours beyond. A level is passed over for a finer one where it
 * cannot give the same answer as the records: the buckets are not made of whole rollups, or what is asked is not in
 * them. A level that does not keep data so old is passed over for a coarser one, where there is one.
 */
import type { Buckets, TimeRange } from '../calendar/buckets.ts';
import { areMultiplesOf } from '../calendar/buckets.ts';

export const SOURCES = ['raw', 'minutes', 'hours'] as const;
export type Source = (typeof SOURCES)[number];

const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;
const DAY_MS = 24 * HOUR_MS;

/** How long a row of a level lasts, milliseconds. */
export const RESOLUTION_MS: Readonly<Record<Source, number>> = { raw: 1, minutes: MINUTE_MS, hours: HOUR_MS };

export interface RoutingQuestion {
  /** As it was asked, before it was widened to whole buckets. */
  readonly range: TimeRange;
  readonly buckets: Buckets;
  /** Why rollups cannot answer; null: they can. */
  readonly needsRaw: string | null;
  /** The level that the caller insists on. */
  readonly forced: Source | undefined;
  /** The oldest instant that each level keeps, epoch milliseconds; −Infinity: it keeps all. */
  readonly oldest: Readonly<Record<Source, number>>;
}

export type Route =
  | { readonly kind: 'source'; readonly source: Source }
  | { readonly kind: 'impossible'; readonly reason: string };

function preferred(range: TimeRange): Source {
  const spanMs = range.to - range.from;
  if (spanMs <= HOUR_MS) return 'raw';
  return spanMs <= DAY_MS ? 'minutes' : 'hours';
}

/** Why a level cannot answer; null: it can. */
function impediment(source: Source, { buckets, needsRaw }: RoutingQuestion): string | null {
  if (source === 'raw') return null;
  if (needsRaw !== null) return needsRaw;
  return areMultiplesOf(RESOLUTION_MS[source], buckets) ? null : `the buckets are not made of whole ${source}`;
}

export function route(question: RoutingQuestion): Route {
  const { range, buckets, forced, oldest } = question;
  if (forced !== undefined) {
    const reason = impediment(forced, question);
    return reason === null ? { kind: 'source', source: forced } : { kind: 'impossible', reason };
  }
  // The records are always able, so there is a first one.
  const able = SOURCES.filter((source) => impediment(source, question) === null);
  const wanted = SOURCES.indexOf(preferred(range));
  const usual = able.findLast((source) => SOURCES.indexOf(source) <= wanted) ?? 'raw';
  const coarser = able.slice(able.indexOf(usual) + 1);
  const keepsIt = [usual, ...coarser].find((source) => oldest[source] <= buckets.from);
  // Where none goes back so far, the one that goes back furthest.
  const longest = [usual, ...coarser].reduce((best, source) => (oldest[source] < oldest[best] ? source : best));
  return { kind: 'source', source: keepsIt ?? longest };
}
