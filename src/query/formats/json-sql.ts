/**
 * Rows as JSON that PostgreSQL puts together: one text for each, character for character what `objectWriter` makes of
 * their columns. A history of a day is 5,000 rows of 14 values: to read them one by one and to write them again took
 * Node.js 17 ms, in which it does nothing else; PostgreSQL takes 3 ms longer for a text than for the values.
 *
 * Guarantees: numbers are the digits that PostgreSQL has; what a caller has sent is a value of the statement and
 * never SQL.
 */
import type { StatementValues } from '../statement-values.ts';
import type { Column } from './columns.ts';
import { ATTRIBUTE_PREFIX } from './columns.ts';

/** A function of PostgreSQL takes a hundred arguments. */
const MOST_ARGUMENTS = 90;

/**
 * Until then a double has the milliseconds of an epoch with an error below 0.0004, so that they can be cut by rounding:
 * a third of the time that `numeric` takes, which is for the others.
 */
const DOUBLES_UNTIL = "timestamptz '2039-01-01 00:00+00'";
const EPOCH = "timestamptz '1970-01-01 00:00+00'";
/** Half a millisecond but for half a microsecond. */
const TO_CUT = '0.4995';

/** Epoch milliseconds, below which is cut. */
function timeJson(time: string): string {
  return `case when ${time} >= ${EPOCH} and ${time} < ${DOUBLES_UNTIL} then (date_part('epoch', ${time}) * 1000 - ${TO_CUT})::bigint::text
    when isfinite(${time}) then floor(extract(epoch from ${time}) * 1000)::bigint::text else 'null' end`;
}

function isoJson(time: string): string {
  return `coalesce('"' || to_char(${time} at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"') || '"', 'null')`;
}

function valueJson({ kind, sql }: Column): string {
  switch (kind) {
    case 'text':
      return `coalesce(to_json(${sql})::text, 'null')`;
    case 'number':
      return `case when ${sql} > '-Infinity' and ${sql} < 'Infinity' then (${sql})::text else 'null' end`;
    case 'time':
      return timeJson(sql);
    case 'iso':
      return isoJson(sql);
    case 'integer':
    case 'boolean':
    case 'json':
    case 'attribute':
      return `coalesce((${sql})::text, 'null')`;
  }
}

function groupsOf(expressions: readonly string[]): string[][] {
  const count = Math.ceil(expressions.length / MOST_ARGUMENTS);
  return Array.from({ length: count }, (_, n) => expressions.slice(n * MOST_ARGUMENTS, (n + 1) * MOST_ARGUMENTS));
}

/** One text after the other. */
function joined(expressions: readonly string[]): string {
  return groupsOf(expressions).map((group) => `concat(${group.join(', ')})`).join(' || ');
}

/** Those of the texts that are not null, with commas between them. */
function listed(expressions: readonly string[]): string {
  const parts = groupsOf(expressions).map((group) => `concat_ws(',', ${group.join(', ')})`);
  return parts.length === 1 ? parts.join('') : `concat_ws(',', ${parts.map((part) => `nullif(${part}, '')`).join(', ')})`;
}

/** Attributes that were chosen: those that the record does not have are null, and left out. */
function chosenAttributes(columns: readonly Column[], values: StatementValues): string {
  return listed(columns.map(({ name, sql }) => {
    const key = `${JSON.stringify(name.slice(ATTRIBUTE_PREFIX.length))}:`;
    return `${values.bind(key, 'text')} || ${sql}`;
  }));
}

/** SQL for the JSON of a row with these columns. Names of columns are those of the code, but for attributes. */
export function objectSql(columns: readonly Column[], values: StatementValues): string {
  const fields = columns.filter(({ kind }) => kind !== 'attribute');
  const attributes = columns.filter(({ kind }) => kind === 'attribute');
  const members = fields.flatMap((column, n) => [`'${n === 0 ? '' : ','}"${column.name}":'`, valueJson(column)]);
  if (attributes.length > 0) {
    members.push(`'${fields.length === 0 ? '' : ','}"attributes":{'`, chosenAttributes(attributes, values), "'}'");
  }
  return joined(["'{'", ...members, "'}'"]);
}
