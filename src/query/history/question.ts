/** The parameters of a history, and what they ask for together. What does not go together is a `Problem`. */
import { z } from 'zod';
import { cursorParameter, decodeCursor, encodeCursor, invalidParameter } from '../cursor.ts';
import type { FormatName } from '../formats/negotiation.ts';
import { POSITION_FIELDS } from '../formats/columns.ts';
import { fieldsParameter } from '../formats/chosen-fields.ts';
import { MAX_PAGE_BYTES } from '../formats/json-page.ts';
import { limit, time } from '../parameters.ts';
import { isTimestampUs, isTimeMs } from '../times.ts';
import type { Place } from './track.ts';

export const PAGE = { default: 1_000, max: 10_000 };
const DAY_MS = 86_400_000;
const MIB = 1024 * 1024;
const MAX_TOLERANCE_M = 100_000;
const MAX_COUNT = 10_000;

export type Simplification =
  | { readonly kind: 'tolerance'; readonly metres: number }
  | { readonly kind: 'points'; readonly count: number };

const SIMPLIFY_EXPECTED = `expected metres above 0 and up to ${MAX_TOLERANCE_M} (25m), or a number of positions from 2 to ${MAX_COUNT} (500)`;

function simplificationOf(text: string): Simplification | undefined {
  const [, number = '', unit = ''] = /^(\d{1,9}(?:\.\d{1,9})?)(m?)$/.exec(text) ?? [];
  const value = Number(number);
  if (unit === 'm') return value > 0 && value <= MAX_TOLERANCE_M ? { kind: 'tolerance', metres: value } : undefined;
  return Number.isInteger(value) && value >= 2 && value <= MAX_COUNT ? { kind: 'points', count: value } : undefined;
}

const simplify = z.string().max(20).transform((value, context): Simplification => {
  const simplification = simplificationOf(value);
  if (simplification !== undefined) return simplification;
  context.addIssue({ code: 'custom', message: SIMPLIFY_EXPECTED });
  return z.NEVER;
});

const FORMATS = ['json', 'ndjson', 'csv', 'geojson', 'gpx', 'kml'] as const satisfies readonly FormatName[];

export const historyParameters = z.object({
  from: time.optional().describe('First instant, ISO 8601 or epoch milliseconds. Without it: 24 hours before `to`.'),
  to: time.optional().describe('First instant after the range, ISO 8601 or epoch milliseconds. Without it: now.'),
  order: z.enum(['asc', 'desc']).optional().describe('By time, oldest first (`asc`, which is the default) or newest first.'),
  limit: limit(PAGE).describe(`Most positions of a page of JSON, 1 to ${PAGE.max}; ${PAGE.default} where it is not given. Of ${MAX_PAGE_BYTES / MIB} MiB a page has fewer. The other formats have all.`),
  cursor: cursorParameter.optional(),
  fields: fieldsParameter.optional(),
  format: z.enum(FORMATS).optional().describe('Goes before `Accept`. `json` comes in pages, the others have everything and are streamed.'),
  simplify: simplify.optional().describe(
    'Leaves out what the shape of the track does not need: so that no position that is left out is farther from the line ' +
    'than some metres (`25m`), or to a number of positions, those that show the shape best (`500`). Positions without a fix are left out.',
  ),
});

export type HistoryParameters = z.infer<typeof historyParameters>;

/** What is asked for, with nothing left open. */
export interface HistoryQuestion {
  readonly fromMs: number;
  readonly toMs: number;
  readonly order: 'asc' | 'desc';
  readonly after: Place | null;
  readonly limit: number;
  readonly fields: readonly string[];
  readonly simplify: Simplification | null;
}

/** The range goes with the cursor, or `now` would be another one on every page. */
const place = z.tuple([
  z.string().refine(isTimestampUs), z.int32(),
  z.int().refine(isTimeMs), z.int().refine(isTimeMs), z.enum(['asc', 'desc']),
]);

export function historyCursor({ us, eventId }: Place, { fromMs, toMs, order }: HistoryQuestion): string {
  return encodeCursor([us, eventId, fromMs, toMs, order]);
}

/** What applies to one kind of answer only is refused for the others: nothing is ignored. */
function refuseUnused({ limit: size, cursor, fields, simplify: wish }: HistoryParameters, format: FormatName): void {
  const paging = { limit: size, cursor };
  for (const [name, value] of Object.entries(paging)) {
    if (value === undefined) continue;
    if (format !== 'json') throw invalidParameter(name, `only JSON comes in pages; ${format} has everything`);
    if (wish?.kind === 'points') throw invalidParameter(name, 'a number of positions (simplify) is one page');
  }
  if (fields !== undefined && (format === 'gpx' || format === 'kml')) {
    throw invalidParameter('fields', `${format} has fields of its own`);
  }
}

/** GPX and KML have what their schemas have a place for. */
const XML_FIELDS = ['ts', 'latitude', 'longitude', 'altitude', 'speed', 'course', 'satellites', 'hdop'];

function fieldsOf(chosen: readonly string[] | undefined, format: FormatName): readonly string[] {
  if (format === 'gpx' || format === 'kml') return XML_FIELDS;
  if (chosen === undefined) return format === 'csv' ? ['deviceId', 'ts', 'time', ...POSITION_FIELDS.slice(2)] : POSITION_FIELDS;
  if (format !== 'geojson') return chosen;
  return [...new Set([...chosen, 'latitude', 'longitude', 'altitude'])];
}

/** @throws Problem `invalid_request` */
export function questionOf(parameters: HistoryParameters, format: FormatName, now: number): HistoryQuestion {
  refuseUnused(parameters, format);
  const known = parameters.cursor === undefined ? null : decodeCursor(parameters.cursor, place);
  const order = parameters.order ?? known?.[4] ?? 'asc';
  if (known !== null && order !== known[4]) throw invalidParameter('cursor', `it is of the order ${known[4]}`);
  const toMs = parameters.to ?? known?.[3] ?? now;
  const fromMs = parameters.from ?? known?.[2] ?? toMs - DAY_MS;
  if (fromMs >= toMs) throw invalidParameter('from', `expected a time before \`to\` (${new Date(toMs).toISOString()})`);
  return {
    fromMs, toMs, order,
    after: known === null ? null : { us: known[0], eventId: known[1] },
    limit: parameters.limit ?? PAGE.default,
    fields: fieldsOf(parameters.fields, format),
    simplify: parameters.simplify ?? null,
  };
}
