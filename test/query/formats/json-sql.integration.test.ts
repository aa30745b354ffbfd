import { describe, expect, it } from 'vitest';
import type { Column } from '../../../src/query/formats/columns.ts';
import { select } from '../../../src/query/formats/columns.ts';
import { objectSql } from '../../../src/query/formats/json-sql.ts';
import { objectWriter } from '../../../src/query/formats/json.ts';
import { StatementValues } from '../../../src/query/statement-values.ts';
import { openSite } from '../../core/support.ts';

const AS_TEXT = { getTypeParser: () => (text: unknown): unknown => text };

const COLUMNS: readonly Column[] = [
  { name: 'deviceId', kind: 'text', sql: 't.device' },
  { name: 'ts', kind: 'time', sql: 't.at' },
  { name: 'time', kind: 'iso', sql: 't.at' },
  { name: 'latitude', kind: 'number', sql: 't.double' },
  { name: 'speed', kind: 'number', sql: 't.single' },
  { name: 'eventId', kind: 'integer', sql: 't.whole' },
  { name: 'valid', kind: 'boolean', sql: 't.flag::text' },
  { name: 'attributes', kind: 'json', sql: 't.attributes::text' },
];

/** Names of attributes as a caller may choose them. */
const ATTRIBUTES = ['power', 'a "quoted" one', "it's", 'back\\slash', '%', 'none'];

function chosen(names: readonly string[], values: StatementValues): Column[] {
  return names.map((name) => (
    { name: `attributes.${name}`, kind: 'attribute', sql: `(t.attributes -> ${values.bind(name, 'text')})::text` }));
}

const ROWS = `
  select * from (values
    ('356307042441013', '2026-05-04 10:00:00.123456+00'::timestamptz, 52.5::float8, 13.1::real, 7, true, '{"power": 12.30}'::jsonb),
    ('a "b" \\ c' || chr(10) || chr(9) || chr(1) || chr(127) || 'ü€😀', '1969-12-31 23:59:59.9995+00', 'NaN', 'NaN', -1, false,
      '{"a \\"quoted\\" one": "x", "it''s": null, "back\\\\slash": {"__bigint": "18446744073709551615"}, "%": [1]}'),
    (null, null, null, null, null, null, null),
    ('', '2039-01-01 00:00:00.000999+00', 'Infinity', '-Infinity', 2147483647, null, '{}'),
    ('', '0001-01-01 00:00:00+00', '-Infinity', 'Infinity', 0, true, '{"none": 12345678901234567890.5}'),
    ('', '9999-12-31 23:59:59.999999+00', 1e300, 1e-30, 0, true, '{}'),
    ('', '1970-01-01 00:00:00+00', -0.0, 3.4e38, 0, true, '{}'),
    ('', '1970-01-01 00:00:00.000999+00', 1e-7, 0.1, 0, true, '{}'))
    as rows (device, at, double, single, whole, flag, attributes)`;

/** Rows written by Node.js, and by PostgreSQL. */
async function bothWays(
  columns: (values: StatementValues) => readonly Column[],
): Promise<{ node: string[]; sql: string[] }> {
  const { pool } = await openSite();
  const ask = async (text: string, values: readonly unknown[]): Promise<(string | null)[][]> => {
    const result = await pool.query({ text, values: [...values], rowMode: 'array', types: AS_TEXT });
    return result.rows as (string | null)[][];
  };
  const [forNode, forSql] = [new StatementValues(), new StatementValues()];
  const selection = select(columns(forNode));
  const rows = await ask(`select ${selection.sql} from (${ROWS}) t`, forNode.list);
  const texts = await ask(`select ${objectSql(columns(forSql), forSql)} from (${ROWS}) t`, forSql.list);
  return { node: rows.map(objectWriter(selection.columns)), sql: texts.map(([text]) => text ?? 'null') };
}

describe('JSON that PostgreSQL puts together', () => {
  it('is that of Node.js, character for character', async () => {
    const { node, sql } = await bothWays(() => COLUMNS);
    expect(sql).toEqual(node);
    expect(() => sql.map((text) => JSON.parse(text) as unknown)).not.toThrow();
  });

  it('has the attributes that were chosen, whatever their names are', async () => {
    const { node, sql } = await bothWays((values) => [...COLUMNS.slice(0, 2), ...chosen(ATTRIBUTES, values)]);
    expect(sql).toEqual(node);
    expect(JSON.parse(sql[1] ?? '')).toMatchObject({ attributes: { "it's": null, '%': [1] } });
  });

  it('takes more columns than a function has arguments', async () => {
    const many = Array.from({ length: 198 }, (_, n) => (n === 190 ? 'power' : `io${n}`));
    const { node, sql } = await bothWays((values) => [...COLUMNS, ...chosen(many, values)]);
    expect(sql).toEqual(node);
    expect(JSON.parse(sql[0] ?? '')).toMatchObject({ attributes: { power: 12.3 } });
    expect((await bothWays(() => Array.from({ length: 200 }, () => COLUMNS[5] as Column))).sql).toHaveLength(8);
  });

  it('cuts times below a millisecond and never rounds them, in any year', async () => {
    const { pool } = await openSite();
    const at = "timestamptz '1969-12-31 00:00+00' + random() * interval '75 years' + (n % 3000) * interval '1 microsecond'";
    const json = objectSql([{ name: 'ts', kind: 'time', sql: 't.at' }], new StatementValues());
    const { rows: [found] } = await pool.query<{ wrong: number; asked: number }>(`
      select count(*)::int as asked,
        (count(*) filter (where ${json} <> '{"ts":' || floor(extract(epoch from at) * 1000)::bigint || '}'))::int as wrong
      from (
        select ${at} as at from generate_series(1, 100000) n
        union all
        select timestamptz '2038-12-31 23:59:59+00' + n * interval '1 microsecond' from generate_series(0, 999999) n) t`);
    expect(found).toEqual({ asked: 1_100_000, wrong: 0 });
  });
});
