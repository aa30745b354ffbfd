/** Every acknowledged record is in the database once, and nothing else is. */
import { DEAD_LETTER_STREAM } from '../../../src/shared/contracts/dead-letter-stream.ts';
import type { Check, Evidence } from './check.ts';

/** Fewer, and the fault has met no load. */
const LEAST_ACKNOWLEDGED = 2_000;

interface Counts {
  readonly positions: number;
  /** As `device_state` counts them. */
  readonly counted: number;
  /** Devices whose newest state is not their newest position. */
  readonly stale: number;
}

const COUNT = `
  select (select count(*) from positions)::int as positions,
         (select coalesce(sum(records), 0) from device_state)::int as counted,
         (select count(*) from device_state s
          where exists (select from positions p
                        where p.device_id = s.device_id and (p.ts, p.event_id) > (s.ts, s.event_id))
         )::int as stale`;

async function countsOf({ world }: Evidence): Promise<Counts> {
  const { rows } = await world.pool.query<Counts>(COUNT);
  return rows[0] ?? { positions: 0, counted: 0, stale: 0 };
}

export const records: Check = async (evidence) => {
  const { fault, world, fleet } = evidence;
  const { report } = fleet;
  const verification = report?.verification;
  if (report === null || verification === null || verification === undefined) return [`the fleet gave no report: ${fleet.stderr.slice(-500)}`];
  const problems: string[] = [];
  if (report.records.acknowledged < LEAST_ACKNOWLEDGED) problems.push(`only ${report.records.acknowledged} records were acknowledged`);
  if (report.records.unacknowledged > 0) problems.push(`${report.records.unacknowledged} records were not acknowledged in the end`);
  const isLost = verification.lost > 0 && fault.loses !== true;
  if (isLost || verification.duplicated > 0) problems.push(...verification.examples);
  const { positions, counted, stale } = await countsOf(evidence);
  const expected = verification.compared - verification.lost + verification.unacknowledgedStored + world.othersAccepted;
  if (positions !== expected) problems.push(`${positions} positions, expected ${expected}`);
  if (counted !== positions) problems.push(`device_state counts ${counted} records, there are ${positions}`);
  if (stale > 0) problems.push(`${stale} devices whose state is not their newest position`);
  const letters = await world.redisClient.xlen(DEAD_LETTER_STREAM);
  if (letters > 0) problems.push(`${letters} dead letters`);
  return problems;
};
