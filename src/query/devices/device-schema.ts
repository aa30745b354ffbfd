/** A device as the API shows it, and the SQL of it. */
import { z } from 'zod';
import { sqlTime } from '../../db/sql-time.ts';
import type { TextRow } from '../database.ts';
import type { Column } from '../formats/columns.ts';
import { select } from '../formats/columns.ts';
import { placeIn } from '../formats/format.ts';
import { objectWriter } from '../formats/json.ts';
import { latestColumns } from '../latest/latest-columns.ts';
import { latestPositionSchema } from '../position-schema.ts';
import { StatementValues } from '../statement-values.ts';

export const STATUSES = ['online', 'offline', 'never'] as const;

export const statusSchema = z
  .enum(STATUSES)
  .describe('`online`: a record came in within QUERY_ONLINE_MS (ten minutes where it is not set), be it late or not; `never`: none ever did.');

export const deviceSchema = z
  .object({
    deviceId: z.string().describe("The tracker's own identifier, such as its IMEI."),
    name: z.string().nullable().describe('For people.'),
    protocol: z.string().nullable().describe('Of its first record.'),
    model: z.string().nullable(),
    enabled: z.boolean().describe('false: where only listed devices are let in, it is not.'),
    createdAt: z.number().describe('When it was registered, epoch milliseconds.'),
    status: statusSchema,
    lastSeenAt: z.number().nullable().describe('When its last record came in, epoch milliseconds.'),
    firstTs: z.number().nullable().describe('The time of its oldest record, epoch milliseconds.'),
    records: z.number().describe('Stored for it so far, those included that were dropped since.'),
    position: latestPositionSchema.nullable().describe('Its newest record; null: there is none yet.'),
  })
  .meta({ id: 'Device', description: 'A tracker and its newest state.' });

/** Devices with their state, `d` and `s` in the columns. */
export const DEVICES = 'devices d left join device_state s on s.device_id = d.id';

/** SQL of the status. */
export function statusOf(onlineSince: string): string {
  return `case when s.last_received_at is null then 'never' when s.last_received_at >= ${onlineSince} then 'online' else 'offline' end`;
}

/** The instant from which on a record makes a device `online`. */
export function bindOnlineSince(values: StatementValues, onlineMs: number): string {
  return values.bind(sqlTime(Date.now() - onlineMs), 'timestamptz');
}

const text = (name: string, sql: string): Column => ({ name, kind: 'text', sql });
const time = (name: string, sql: string): Column => ({ name, kind: 'time', sql });

function ownColumns(onlineSince: string): Column[] {
  return [
    text('deviceId', 'd.unique_id'), text('name', 'd.name'), text('protocol', 'd.protocol'), text('model', 'd.model'),
    { name: 'enabled', kind: 'boolean', sql: 'd.enabled::text' },
    time('createdAt', 'd.created_at'),
    text('status', statusOf(onlineSince)),
    time('lastSeenAt', 's.last_received_at'), time('firstTs', 's.first_ts'),
    { name: 'records', kind: 'integer', sql: 'coalesce(s.records, 0)' },
  ];
}

export interface DeviceColumns {
  /** The select list. */
  readonly sql: string;
  /** A row of them as JSON. */
  readonly write: (row: TextRow) => string;
}

/** Columns of a device and of its position. */
export function deviceColumns(onlineSince: string): DeviceColumns {
  const own = ownColumns(onlineSince);
  const { columns, sql } = select([...own, ...latestColumns(undefined, new StatementValues())]);
  const position = columns.slice(own.length);
  const tsAt = placeIn(position, 'ts');
  const writeOwn = objectWriter(columns.slice(0, own.length));
  const writePosition = objectWriter(position);
  const write = (row: TextRow): string => {
    const hasState = (row[tsAt] ?? null) !== null;
    return `${writeOwn(row).slice(0, -1)},"position":${hasState ? writePosition(row) : 'null'}}`;
  };
  return { sql, write };
}
