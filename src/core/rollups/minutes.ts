/**
 * Rolls minutes up whose hour is not over, so that a question about it has only the last minutes to read record by
 * record. Whoever does it twice changes nothing. Errors: as of `spans.ts`.
 */
import type { PoolClient } from 'pg';
import type { Kept } from '../../db/rollup-retention.ts';
import { MINUTE_MS } from '../../db/rollup-retention.ts';
import type { Breaks } from './breaks.ts';
import { NO_BREAKS, RegularBreaks } from './breaks.ts';
import { trackersBetween } from './hours.ts';
import type { Span } from './records.ts';
import { rollUpSpans } from './spans.ts';

/** Spans of trackers in one transaction: some minutes each, or one that got late records. */
const BATCH = 500;

/** Rolled up as one: after a pause of core the hour may have many. */
const MOST_MS = 10 * MINUTE_MS;

/** With so much left to do there is no time for breaks. */
const BEHIND_MS = 3 * MINUTE_MS;

const TAKE_MARKED = `
  select m.device_id as "deviceId", m.minute as "from" from rollup_marks m, rollup_state s
  where m.minute is not null and m.hour >= s.rolled_to and m.minute < s.minutes_to
  group by 1, 2 order by 1, 2 limit ${BATCH}`;

/** What a minute of work is part of. */
export interface MinutesWork {
  readonly client: PoolClient;
  readonly kept: Kept;
  readonly signal: AbortSignal;
  /** After each transaction. */
  readonly onStored: (durationMs: number) => void;
}

interface How {
  readonly isNew: boolean;
  readonly breaks: Breaks;
}

async function store({ client, kept, onStored }: MinutesWork, spans: readonly Span[], how: How): Promise<void> {
  const startedAt = performance.now();
  await rollUpSpans(client, spans, { kept: { minutes: kept.minutes, hours: Infinity }, marked: 'minute', ...how });
  onStored(performance.now() - startedAt);
}

/**
 * Minutes that follow those that are stored.
 * @returns where those end that are stored now, at most `to`, epoch milliseconds; null: the signal has aborted
 */
export async function rollUpMinutes(work: MinutesWork, from: number, to: number): Promise<number | null> {
  const end = Math.min(to, from + MOST_MS);
  const spans = (await trackersBetween(work.client, 'records', from, end)).map((deviceId) => ({ deviceId, from, to: end }));
  const breaks = to - from < BEHIND_MS ? new RegularBreaks(work.signal) : NO_BREAKS;
  for (let at = 0; at < spans.length; at += BATCH) {
    if (work.signal.aborted) return null;
    await store(work, spans.slice(at, at + BATCH), { isNew: true, breaks });
  }
  return end;
}

/** Minutes that got late records, some of them. @returns whether there may be more */
export async function rollUpLateMinutes(work: MinutesWork): Promise<boolean> {
  const { rows } = await work.client.query<Omit<Span, 'to'>>(TAKE_MARKED);
  const spans = rows.map((row) => ({ ...row, to: row.from + MINUTE_MS }));
  // Without breaks: who writes a record of such a minute waits for the end of the transaction, which has its mark.
  if (spans.length > 0) await store(work, spans, { isNew: false, breaks: NO_BREAKS });
  return rows.length === BATCH;
}
