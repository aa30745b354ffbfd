/**
 * Attributes as numbers, in SQL: numbers as they are, `true` and `false` as 1 and 0, integers that JSON numbers cannot
 * hold as the nearest double. Anything else is null.
 */

/** Beyond it an integer is infinite as a double, and the cast an error. */
const MOST_DIGITS = 300;

/** @param value SQL of a jsonb value. It is repeated: let it be short. */
export function attributeNumber(value: string): string {
  return `case jsonb_typeof(${value}) when 'number' then (${value})::float8
    when 'boolean' then (${value})::boolean::int::float8
    when 'object' then case when length(${value} ->> '__bigint') < ${MOST_DIGITS}
      then (${value} ->> '__bigint')::float8 end end`;
}
