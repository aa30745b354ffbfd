/**
 * The consumer that everybody writes first: it reads the stream, parses the JSON, stores what it has read with one
 * INSERT of many VALUES, and acknowledges it; then it reads on. It does not write a row at a time: that would be slower
 * by more than ten times, and nobody leaves it so.
 */
import { Redis } from 'ioredis';
import { Client } from 'pg';
import { POSITION_COLUMNS } from '../../src/core/copy-rows.ts';
import { serve } from '../support/forked.ts';

export type NaiveConsumerCommand =
  | { readonly type: 'start'; readonly redisUrl: string; readonly postgresUrl: string }
  /** Answered when so many rows have been stored since the start. */
  | { readonly type: 'until'; readonly rows: number };

const GROUP = 'naive';
/** Rows of a statement: PostgreSQL takes 65,535 parameters. */
const COUNT = 500;
const COLUMNS = POSITION_COLUMNS.join(', ');

interface NaiveRecord {
  readonly deviceId: string;
  readonly receivedAt: number;
  readonly ts: number;
  readonly eventId: number;
  readonly attributes: unknown;
  readonly [field: string]: unknown;
}

type Entry = readonly [id: string, fields: readonly string[]];
type Reply = readonly (readonly [stream: string, entries: readonly Entry[]])[];

const ids = new Map<string, string>();
let stored = 0;
let goal = Number.POSITIVE_INFINITY;
let reached = Promise.withResolvers<undefined>();

function valuesOf(record: NaiveRecord): unknown[] {
  const { latitude, longitude, altitude, course, speed, hdop, satellites, valid, priority } = record;
  return [
    ids.get(record.deviceId), new Date(record.ts), record.eventId, new Date(record.receivedAt), latitude, longitude,
    altitude, course, speed, hdop, satellites, valid, priority, JSON.stringify(record.attributes),
  ];
}

async function insert(client: Client, records: readonly NaiveRecord[]): Promise<void> {
  const width = POSITION_COLUMNS.length;
  const placeholders = records.map((_, row) => `(${POSITION_COLUMNS.map((_column, n) => `$${row * width + n + 1}`).join(',')})`);
  const text = `insert into positions (${COLUMNS}) values ${placeholders.join(',')} on conflict do nothing`;
  await client.query(text, records.flatMap(valuesOf));
}

async function consume(redis: Redis, client: Client): Promise<never> {
  for (;;) {
    const reply = await redis.xreadgroup('GROUP', GROUP, 'one', 'COUNT', COUNT, 'BLOCK', 1_000, 'STREAMS', 'naive', '>');
    const [, entries = []] = ((reply ?? []) as Reply)[0] ?? [];
    if (entries.length === 0) continue;
    await insert(client, entries.map(([, [, json = '']]) => JSON.parse(json) as NaiveRecord));
    await redis.xack('naive', GROUP, ...entries.map(([id]) => id));
    stored += entries.length;
    if (stored >= goal) reached.resolve(undefined);
  }
}

async function start(redisUrl: string, postgresUrl: string): Promise<void> {
  const client = new Client({ connectionString: postgresUrl });
  await client.connect();
  const { rows } = await client.query<{ id: string; unique_id: string }>('select id, unique_id from devices');
  for (const row of rows) ids.set(row.unique_id, row.id);
  const redis = new Redis(redisUrl);
  await redis.xgroup('CREATE', 'naive', GROUP, '0', 'MKSTREAM');
  void consume(redis, client);
}

serve(async (command: NaiveConsumerCommand) => {
  if (command.type === 'start') await start(command.redisUrl, command.postgresUrl);
  else {
    goal = command.rows;
    reached = Promise.withResolvers<undefined>();
    if (stored < goal) await reached.promise;
  }
  return { rows: stored };
});
