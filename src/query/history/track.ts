/**
 * The history of one device as SQL: pages by key, so that nothing is skipped or shown twice while records come in, and
 * no connection is held between two pages.
 */
import { sqlTime } from '../../db/sql-time.ts';
import type { Question, TextRow } from '../database.ts';
import type { Column, Selection } from '../formats/columns.ts';
import { fieldColumns, select } from '../formats/columns.ts';
import { columnsOf } from '../formats/chosen-fields.ts';
import { jsonPageSql } from '../formats/json-page.ts';
import { objectSql } from '../formats/json-sql.ts';
import { StatementValues } from '../statement-values.ts';
import { epochOf, timestampOfUs, usOfEpoch } from '../times.ts';

export interface Track {
  /** Of `devices`, bigint as text. */
  readonly id: string;
  readonly deviceId: string;
  /** Half-open, epoch milliseconds. */
  readonly fromMs: number;
  readonly toMs: number;
  readonly order: 'asc' | 'desc';
  /** Only records with coordinates. */
  readonly fixesOnly: boolean;
}

/** A record of a device by its key. */
export interface Place {
  /** Microseconds, digits. */
  readonly us: string;
  readonly eventId: number;
}

/** Hidden columns, at these places of every row. */
const EPOCH_AT = 0;
const EVENT_AT = 1;
export const LATITUDE_AT = 2;
export const LONGITUDE_AT = 3;

const HIDDEN: readonly Column[] = [
  { name: '$epoch', kind: 'time', sql: 'p.ts' },
  { name: '$eventId', kind: 'integer', sql: 'p.event_id' },
  { name: '$latitude', kind: 'number', sql: 'p.latitude' },
  { name: '$longitude', kind: 'number', sql: 'p.longitude' },
];

export function placeOf(row: TextRow): Place {
  return { us: usOfEpoch(row[EPOCH_AT] ?? '0'), eventId: Number(row[EVENT_AT]) };
}

type Named = Pick<Track, 'deviceId'>;

function shownColumns({ deviceId }: Named, fields: readonly string[], values: StatementValues): Column[] {
  // PostgreSQL refuses a value that the statement does not refer to.
  const ownId = fields.includes('deviceId') ? values.bind(deviceId, 'text') : 'null';
  const known = fieldColumns({ deviceId: ownId, record: 'p', place: 'p' });
  return columnsOf(fields, known, 'p.attributes', values);
}

/** The same for JSON: the identifier, which is that of all records, is JSON already. */
function jsonColumns({ deviceId }: Named, fields: readonly string[], values: StatementValues): Column[] {
  const columns = shownColumns({ deviceId: JSON.stringify(deviceId) }, fields, values);
  return columns.map((column) => (column.name === 'deviceId' ? { ...column, kind: 'json' } : column));
}

/** The columns of an answer, hidden ones first. */
export function trackColumns(track: Named, fields: readonly string[], values: StatementValues): Selection {
  return select([...HIDDEN, ...shownColumns(track, fields, values)]);
}

/** Where the page begins: the bound of `ts` alone is what partitions and chunks are chosen by. */
function beginning({ fromMs, toMs, order }: Track, after: Place | null, values: StatementValues): string {
  const from = sqlTime(fromMs);
  const to = sqlTime(toMs);
  if (after === null) return `p.ts >= ${values.bind(from, 'timestamptz')} and p.ts < ${values.bind(to, 'timestamptz')}`;
  const at = timestampOfUs(after.us);
  const rest = order === 'asc'
    ? `p.ts >= ${values.bind(at, 'timestamptz')} and p.ts < ${values.bind(to, 'timestamptz')}`
    : `p.ts >= ${values.bind(from, 'timestamptz')} and p.ts <= ${values.bind(at, 'timestamptz')}`;
  const comparison = order === 'asc' ? '>' : '<';
  return `${rest} and (p.ts, p.event_id) ${comparison} (${values.bind(at, 'timestamptz')}, ${values.bind(after.eventId, 'integer')})`;
}

interface Page {
  /** null: from the beginning. */
  readonly after: Place | null;
  readonly limit: number;
}

function rowsOf(track: Track, { after, limit }: Page, sql: string, values: StatementValues): string {
  const where = [`p.device_id = ${values.bind(track.id, 'bigint')}`, beginning(track, after, values)];
  if (track.fixesOnly) where.push('p.latitude is not null', 'p.longitude is not null');
  return `
    select ${sql} from positions p
    where ${where.join(' and ')}
    order by p.ts ${track.order}, p.event_id ${track.order} limit ${values.bind(limit, 'bigint')}`;
}

/** Up to `limit` records from behind `after` on. */
export function pageQuestion(track: Track, fields: readonly string[], page: Page): Question {
  const values = new StatementValues();
  const { sql } = trackColumns(track, fields, values);
  return { name: 'history', text: rowsOf(track, page, sql, values), values: values.list };
}

/** The same as JSON, for `readJsonPage`; its end is for `placeOf`. */
export function jsonPageQuestion(track: Track, fields: readonly string[], { after, limit }: Page): Question {
  const values = new StatementValues();
  const json = objectSql(jsonColumns(track, fields, values), values);
  const sql = rowsOf(track, { after, limit: limit + 1 }, `p.ts, p.event_id, ${json} as json`, values);
  const { order } = track;
  const text = jsonPageSql({
    sql, limit: values.bind(limit, 'bigint'), order: `ts ${order}, event_id ${order}`,
    place: [{ column: 'ts', shownBy: epochOf }, { column: 'event_id' }],
  });
  return { name: 'history', text, values: values.list };
}

/** These records, in this order. Those that were dropped meanwhile are not there. */
export function placesQuestion(track: Track, fields: readonly string[], places: readonly Place[]): Question {
  const values = new StatementValues();
  const { sql } = trackColumns(track, fields, values);
  const times = values.bind(places.map(({ us }) => timestampOfUs(us)), 'timestamptz[]');
  const events = values.bind(places.map(({ eventId }) => eventId), 'integer[]');
  const text = `
    select ${sql}
    from unnest(${times}, ${events}) with ordinality as k (ts, event_id, number)
    join positions p on p.device_id = ${values.bind(track.id, 'bigint')} and p.ts = k.ts and p.event_id = k.event_id
    where p.ts >= ${values.bind(sqlTime(track.fromMs), 'timestamptz')}
      and p.ts < ${values.bind(sqlTime(track.toMs), 'timestamptz')}
    order by k.number`;
  return { name: 'history-places', text, values: values.list };
}
