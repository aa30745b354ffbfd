/** `/readyz` tells the truth in time: not ready while the fault lasts, ready before and soon after, others always. */
import type { Program } from '../world/program.ts';
import type { Observation } from '../world/watch.ts';
import type { Outage } from '../world/world.ts';
import type { Check, Evidence } from './check.ts';

/** A probe is cached for five seconds and waits for two; work may stall for five before that is said. */
const NOTICED_MS = 11_000;
/** Mending is the last of a fault, and has its effect before it has ended. */
const MENDING_MS = 1_000;
/** Longest time from the end of a fault until the pauses between attempts are over; a log may have to be replayed. */
const FORGOTTEN_MS = 25_000;
/** On a machine that is busy with other worlds an answer may be late. */
const BUSY_MS = 4_000;

function isReady({ status }: Observation): boolean {
  return status === 200;
}

/** A fault that lasts is noticed, and said until it is over. */
function unnoticed(seen: readonly Observation[], { from, to }: Outage): string[] {
  if (to - from < NOTICED_MS) return [];
  const isWithin = ({ askedAt, answeredAt }: Observation): boolean =>
    askedAt >= from + NOTICED_MS && answeredAt < to - MENDING_MS;
  const lies = seen.filter((one) => isWithin(one) && isReady(one));
  const [first] = lies;
  return first === undefined ? [] : [`ready ${Math.round(first.askedAt - from)} ms into a fault of ${Math.round(to - from)} ms`];
}

/** The longest times that a program was not ready, each from its first observation to its last. */
function spells(seen: readonly Observation[], isExcused: (one: Observation) => boolean): Observation[][] {
  const found: Observation[][] = [[]];
  for (const one of seen) {
    if (isReady(one) || isExcused(one)) found.push([]);
    else found.at(-1)?.push(one);
  }
  return found.filter((spell) => spell.length > 0);
}

/** Outside of what is allowed for a fault a program is ready. */
function falseAlarms(seen: readonly Observation[], outages: readonly Outage[]): string[] {
  const isExcused = ({ askedAt, answeredAt }: Observation): boolean =>
    outages.some(({ from, to }) => answeredAt >= from && askedAt < to + FORGOTTEN_MS);
  return spells(seen, isExcused).flatMap((spell) => {
    const lastedMs = (spell.at(-1)?.answeredAt ?? 0) - (spell[0]?.askedAt ?? 0);
    const reason = spell.find(({ failing }) => failing.length > 0)?.failing.join('; ') ?? 'no answer';
    return lastedMs < BUSY_MS ? [] : [`not ready for ${Math.round(lastedMs)} ms without a reason (${reason})`];
  });
}

function problemsOf(program: Program, { fault, world }: Evidence): string[] {
  const seen = world.watch.observations.get(program) ?? [];
  const isOneOf = (names: readonly string[] = []): boolean => names.includes(program.name);
  const mustTell = isOneOf(fault.impairs) ? world.outages : [];
  const mayTell = isOneOf(fault.mayImpair) ? world.outages : mustTell;
  const problems = [...mustTell.flatMap((outage) => unnoticed(seen, outage)), ...falseAlarms(seen, mayTell)];
  return problems.map((problem) => `${program.name}: /readyz: ${problem}`);
}

export const readiness: Check = (evidence) =>
  [...evidence.world.programs.values()].flatMap((program) => problemsOf(program, evidence));
