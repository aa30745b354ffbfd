/** In which form an answer comes: the parameter `format`, else what `Accept` prefers. */
import { Problem } from '../../http/problem.ts';

export const MEDIA_TYPES = {
  json: 'application/json; charset=utf-8',
  ndjson: 'application/x-ndjson; charset=utf-8',
  csv: 'text/csv; charset=utf-8; header=present',
  geojson: 'application/geo+json; charset=utf-8',
  gpx: 'application/gpx+xml; charset=utf-8',
  kml: 'application/vnd.google-earth.kml+xml; charset=utf-8',
} as const;

export type FormatName = keyof typeof MEDIA_TYPES;

/** Other names of the same. */
const SYNONYMS: Readonly<Record<string, FormatName>> = {
  'application/ndjson': 'ndjson', 'application/jsonl': 'ndjson', 'application/vnd.geo+json': 'geojson',
};

interface Wish {
  readonly type: string;
  readonly quality: number;
}

function wishOf(text: string): Wish {
  const [type = '', ...parameters] = text.split(';').map((part) => part.trim().toLowerCase());
  const quality = parameters.find((parameter) => parameter.startsWith('q='));
  const value = quality === undefined ? 1 : Number(quality.slice(2));
  return { type, quality: Number.isFinite(value) ? value : 0 };
}

function bare(mediaType: string): string {
  return mediaType.split(';', 1)[0] ?? mediaType;
}

function formatsOf(type: string, offered: readonly FormatName[]): readonly FormatName[] {
  const synonym = SYNONYMS[type];
  if (synonym !== undefined) return offered.filter((name) => name === synonym);
  if (type === '*/*') return offered;
  const family = type.endsWith('/*') ? type.slice(0, -1) : null;
  return offered.filter((name) => {
    const own = bare(MEDIA_TYPES[name]);
    return family === null ? own === type : own.startsWith(family);
  });
}

/**
 * The first of the formats that fits the most wanted type.
 * @param accept the header
 * @param offered the preferred one first: it is what a caller without a wish gets
 * @throws Problem `not_acceptable`
 */
export function negotiate<Name extends FormatName>(
  wanted: Name | undefined,
  accept: string | undefined,
  offered: readonly [Name, ...Name[]],
): Name {
  if (wanted !== undefined) return wanted;
  if (accept === undefined || accept.trim() === '') return offered[0];
  const wishes = accept.split(',').map(wishOf).toSorted((a, b) => b.quality - a.quality);
  const refused = wishes.filter(({ type, quality }) => quality <= 0 && !type.endsWith('/*'));
  const unwanted = new Set(refused.flatMap(({ type }) => formatsOf(type, offered)));
  for (const { type, quality } of wishes) {
    const found = formatsOf(type, offered).find((name) => !unwanted.has(name));
    if (found !== undefined && quality > 0) return found as Name;
  }
  const types = offered.map((name) => bare(MEDIA_TYPES[name])).join(', ');
  throw new Problem('not_acceptable', `this comes as ${types}`);
}
