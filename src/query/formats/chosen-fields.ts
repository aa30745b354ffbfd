/** The parameter `fields`: which columns an answer has. */
import { z } from 'zod';
import type { StatementValues } from '../statement-values.ts';
import { commaSeparated } from '../parameters.ts';
import type { Column, FieldName } from './columns.ts';
import { ATTRIBUTE_PREFIX, FIELD_NAMES } from './columns.ts';

const MAX_FIELDS = 200;
const NAMES: ReadonlySet<string> = new Set(FIELD_NAMES);

export function isField(name: string): name is FieldName {
  return NAMES.has(name);
}

function isAttribute(name: string): boolean {
  return name.startsWith(ATTRIBUTE_PREFIX) && name.length > ATTRIBUTE_PREFIX.length;
}

export const fieldsParameter = commaSeparated(MAX_FIELDS)
  .pipe(z.array(z.string().refine((name) => isField(name) || isAttribute(name), {
    error: `expected some of ${FIELD_NAMES.join(', ')}, and attributes as ${ATTRIBUTE_PREFIX}<name>`,
  })))
  .describe(
    `What to tell of each position, separated by commas: ${FIELD_NAMES.join(', ')}, and single attributes as ` +
    `\`${ATTRIBUTE_PREFIX}ignition\`. \`time\` is \`ts\` as ISO 8601. \`ts\` is always there. Not for GPX and KML.`,
  );

/** The columns of these fields; `ts` comes first where it was not asked for. */
export function columnsOf(
  fields: readonly string[],
  known: Readonly<Record<FieldName, Column>>,
  attributes: string,
  values: StatementValues,
): Column[] {
  const wanted = fields.includes('ts') ? fields : ['ts', ...fields];
  return wanted.map((name) => {
    if (isField(name)) return known[name];
    const attribute = values.bind(name.slice(ATTRIBUTE_PREFIX.length), 'text');
    return { name, kind: 'attribute', sql: `(${attributes} -> ${attribute})::text` };
  });
}
