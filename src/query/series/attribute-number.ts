/**
 * Attributes as numbers, in SQL, as rollups take them: numbers as they are, `true` and `false` as 1 and 0. Anything
 * else is null, integers beyond ±(2^53−1) too: those are identifiers and bit masks.
 */

/** `numeric`, in which nothing overflows. @param value SQL of a jsonb value, repeated: let it be short */
export function attributeNumber(value: string): string {
  return `case jsonb_typeof(${value}) when 'number' then (${value})::numeric
    when 'boolean' then (${value})::boolean::int::numeric end`;
}

/**
 * A `numeric` as a double: null where it is too great for one, which a cast does not allow, 0 where it is too small.
 * @param numeric SQL, repeated
 */
export function asDouble(numeric: string): string {
  return `case when abs(${numeric}) > 1.7e308 then null when abs(${numeric}) < 1e-300 then 0 else (${numeric})::float8 end`;
}
