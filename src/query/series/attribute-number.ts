/**
 * Attributes as numbers, in SQL, as rollups take them: numbers as they are, `true` and `false` as 1 and 0. Anything
 * else is null, integers beyond ±(2^53−1) too: those are identifiers and bit masks.
 */

/** @param value SQL of a jsonb value. It is repeated: let it be short. */
export function attributeNumber(value: string): string {
  return `case jsonb_typeof(${value}) when 'number' then (${value})::float8
    when 'boolean' then (${value})::boolean::int::float8 end`;
}
