/**
 * What a series may be of: a field of the record, or an attribute by its name. Pure.
 *
 * `speed` is the field; an attribute that bears the name of a field is `attributes.speed`. Of attributes the numbers
 * count, and `true` and `false` as 1 and 0; text and integers beyond ±(2^53−1) do not.
 */
import type { Aggregate } from './aggregates.ts';

interface Field {
  /** Kept as single precision in the database. */
  readonly isSingle: boolean;
  /** Aggregates that mean something. */
  readonly aggregates: readonly Aggregate[];
  /** Aggregates that rollups can answer. */
  readonly rolledUp: readonly Aggregate[];
}

export type Measure =
  | { readonly kind: 'field'; readonly name: FieldName; readonly field: Field }
  | { readonly kind: 'attribute'; readonly name: string };

const FROM_ROLLUPS = ['avg', 'min', 'max', 'sum', 'count', 'first', 'last'] as const;
const ALL = [...FROM_ROLLUPS, 'p50', 'p95', 'p99'] as const;

const number: Field = { isSingle: true, aggregates: ALL, rolledUp: FROM_ROLLUPS };
const coordinate: Field = { isSingle: false, aggregates: ALL, rolledUp: ['first', 'last'] };

const FIELDS = {
  speed: number,
  altitude: number,
  hdop: number,
  satellites: { ...number, isSingle: false },
  latitude: coordinate,
  longitude: coordinate,
  // The mean of 359° and 1° is not 180°: what adds or orders angles says nothing.
  course: { isSingle: true, aggregates: ['count', 'first', 'last'], rolledUp: [] },
} as const satisfies Record<string, Field>;

export type FieldName = keyof typeof FIELDS;

export const FIELD_NAMES = Object.keys(FIELDS) as readonly FieldName[];

const ATTRIBUTE_PREFIX = 'attributes.';

export function measureOf(name: string): Measure {
  if (name.startsWith(ATTRIBUTE_PREFIX)) return { kind: 'attribute', name: name.slice(ATTRIBUTE_PREFIX.length) };
  const fieldName = FIELD_NAMES.find((field) => field === name);
  return fieldName === undefined
    ? { kind: 'attribute', name }
    : { kind: 'field', name: fieldName, field: FIELDS[fieldName] };
}

export function aggregatesOf(measure: Measure): readonly Aggregate[] {
  return measure.kind === 'field' ? measure.field.aggregates : ALL;
}

export function rolledUpAggregatesOf(measure: Measure): readonly Aggregate[] {
  return measure.kind === 'field' ? measure.field.rolledUp : FROM_ROLLUPS;
}
