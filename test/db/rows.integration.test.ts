/** Statements that carry much, on a real PostgreSQL. */
import { expect, test } from 'vitest';
import { rowsOf } from '../../src/db/rows.ts';
import { keptByYoungCollections } from '../support/collect-garbage.ts';
import { openDatabase } from './fixture.ts';

const MIB = 1024 * 1024;

test('gives the rows, as objects and as arrays', async () => {
  const { pool } = await openDatabase();
  const text = "select n, 'text' as t from generate_series($1::int, 3) n";
  expect(await rowsOf(pool, { text, values: [2] })).toEqual([{ n: 2, t: 'text' }, { n: 3, t: 'text' }]);
  expect(await rowsOf(pool, { text, values: [3], rowMode: 'array' })).toEqual([[3, 'text']]);
  expect(await rowsOf(pool, { text: 'set application_name = \'test\'' })).toEqual([]);
});

test('throws what the server says, and goes on', async () => {
  const { pool } = await openDatabase();
  await expect(rowsOf(pool, { text: 'select 1 / $1::int', values: [0] })).rejects.toMatchObject({ code: '22012' });
  expect(await rowsOf(pool, { text: 'select 1 as one' })).toEqual([{ one: 1 }]);
});

test('rows are gone with the next young collection', async () => {
  const { pool } = await openDatabase();
  const read = async (): Promise<void> => {
    for (let n = 0; n < 20; n += 1) await rowsOf(pool, { text: "select repeat('x', 100) as t from generate_series(1, 2000)" });
  };
  await read();
  expect(await keptByYoungCollections(read)).toBeLessThan(2 * MIB);
});

test('so are values', async () => {
  const { pool } = await openDatabase();
  const write = async (): Promise<void> => {
    for (let n = 0; n < 60; n += 1) {
      const values = [Array.from({ length: 2_000 }, (_, index) => `${n} ${index}`)];
      await rowsOf(pool, { text: 'select cardinality($1::text[])', values });
    }
  };
  await write();
  expect(await keptByYoungCollections(write)).toBeLessThan(MIB);
});
