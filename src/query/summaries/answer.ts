/** The answer of summaries, out of the rows that the database gave. Pure. */
import { z } from 'zod';
import type { Buckets } from '../calendar/buckets.ts';
import { localDate } from '../calendar/time-zone.ts';
import { nextSchema } from '../cursor.ts';
import type { SummaryRow } from './summary-sql.ts';

const summarySchema = z
  .object({
    deviceId: z.string(),
    date: z.string().describe('The local day, `2026-05-04`.'),
    from: z.number().describe('Where the day begins, epoch milliseconds.'),
    to: z.number().describe('Where it ends, epoch milliseconds.'),
    records: z.number(),
    firstTs: z.number().describe('Time of the first record, epoch milliseconds.'),
    lastTs: z.number().describe('Time of the last record, epoch milliseconds.'),
    distance: z.number().describe('Metres.'),
    distanceSource: z.enum(['odometer', 'positions']).describe('What the distance is from: `odometer` where that moved, else the way from fix to fix.'),
    movingSeconds: z.number(),
    idlingSeconds: z.number().describe('Standing with the ignition on.'),
    stoppedSeconds: z.number().describe('Standing with the ignition off, or where nobody knows.'),
    engineSeconds: z.number().nullable().describe('With the ignition on; null: nobody knows.'),
    topSpeed: z.number().nullable().describe('km/h'),
  })
  .meta({ id: 'DaySummary', description: 'A local day of a device. Days without a record are left out.' });

export const summariesSchema = z
  .object({
    from: z.number().describe('Where the first day begins, epoch milliseconds: the range is widened to whole days.'),
    to: z.number().describe('Where the last day ends, epoch milliseconds.'),
    timeZone: z.string(),
    items: z.array(summarySchema).describe('By device, then by day.'),
    next: nextSchema,
  })
  .meta({ id: 'Summaries' });

export type Summaries = z.infer<typeof summariesSchema>;

const tenths = (value: number): number => Math.round(value * 10) / 10;

function dateText(zone: string, ts: number): string {
  const { year, month, day } = localDate(zone, ts);
  return `${String(year).padStart(4, '0')}-${String(month).padStart(2, '0')}-${String(day).padStart(2, '0')}`;
}

interface ItemsContext {
  readonly days: Buckets;
  readonly timeZone: string;
  /** The trackers' own identifiers, by the ids of `devices`. */
  readonly deviceIds: ReadonlyMap<string, string>;
}

export function itemsOf(
  rows: readonly SummaryRow[],
  { days, timeZone, deviceIds }: ItemsContext,
): Summaries['items'] {
  return rows.flatMap((row) => {
    const deviceId = deviceIds.get(String(row.deviceId));
    const from = days.starts[row.day];
    if (deviceId === undefined || from === undefined) return [];
    const hasOdometer = row.odometerMetres > 0;
    return [{
      deviceId, date: dateText(timeZone, from), from, to: days.starts[row.day + 1] ?? days.to,
      records: row.records, firstTs: row.firstAt, lastTs: row.lastAt,
      distance: tenths(hasOdometer ? row.odometerMetres : row.fixMetres),
      distanceSource: hasOdometer ? 'odometer' : 'positions',
      movingSeconds: tenths(row.movingSeconds), idlingSeconds: tenths(row.idlingSeconds),
      stoppedSeconds: tenths(row.stoppedSeconds),
      engineSeconds: row.engineSeconds === null ? null : tenths(row.engineSeconds),
      topSpeed: row.topSpeed === null ? null : tenths(row.topSpeed),
    } as const];
  });
}
