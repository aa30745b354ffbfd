/** What asks for rollups opens nothing of positions that is compressed and not asked for. */
import { expect, test } from 'vitest';
import { hourBefore, openRollups, rolledUpTo, round, row, withClient, write } from './support.ts';
import { STORAGES } from '../support.ts';

/** Reads of compressed batches, as the plan tells them. */
async function opened(database: Awaited<ReturnType<typeof openRollups>>, question: string): Promise<string[]> {
  return await withClient(database.pool, async (client) => {
    const { rows } = await client.query<{ 'QUERY PLAN': string }>(`explain (analyze, costs off, timing off, summary off) ${question}`);
    const scans = rows.map((line) => line['QUERY PLAN']).filter((line) => line.includes('on compress_hyper'));
    expect(scans.length).toBeGreaterThan(0);
    return scans.filter((line) => !/never executed|rows=0(\.00)? /.test(line));
  });
}

const withTimescale = test.skipIf(!STORAGES.includes('timescaledb'));

withTimescale('what is compressed is opened only for hours that are asked for and not rolled up', async () => {
  const database = await openRollups('timescaledb');
  const { pool } = database;
  await rolledUpTo(pool, hourBefore(101));
  await write(pool, [100, 76, 52].flatMap((hours) => (
    [1, 2, 3].map((device) => row(device, hourBefore(hours) + 1, { speed: 50 })))));
  await round(database);
  await pool.query("select compress_chunk(chunk) from show_chunks('positions') as chunk");
  const between = (name: string): string => {
    const [from, to] = [hourBefore(101), hourBefore(-1)].map((ms) => new Date(ms).toISOString());
    return `select device_id, records, speed_sum from ${name}(null, '${from}', '${to}')`;
  };
  expect(await opened(database, between('position_hours_between'))).toEqual([]);
  expect(await opened(database, between('position_minutes_between'))).toEqual([]);
  await pool.query('insert into rollup_marks (device_id, hour) values (2, $1)', [new Date(hourBefore(76)).toISOString()]);
  // Of the three chunks one, for the one hour that is marked.
  expect(await opened(database, between('position_hours_between'))).toHaveLength(1);
});
