/**
 * Requests made from the OpenAPI document, good ones and bad ones, to every operation of a whole system: each answer is
 * as the document says. FUZZ_SEED=n gives the same requests again, FUZZ_REQUESTS=n so many for each operation.
 */
import { Agent } from 'node:http';
import fc from 'fast-check';
import { expect, onTestFinished, test } from 'vitest';
import { answerTo } from './answer.ts';
import { Judge } from './judge.ts';
import type { Operation } from './operations.ts';
import { impliedOperations, operationsOf } from './operations.ts';
import type { FuzzRequest } from './requests.ts';
import { requestsFor } from './requests.ts';
import { SchemaValues } from './schema-values.ts';
import type { World } from './world.ts';
import { openWorld } from './world.ts';

const SEED = Number(process.env.FUZZ_SEED ?? Math.floor(Math.random() * 2 ** 31));
const REQUESTS = Number(process.env.FUZZ_REQUESTS ?? 400);
/** Of those for HEAD and OPTIONS. */
const SHARE_IMPLIED = 0.25;
/** On a machine that is busy there are fewer requests; and shrinking a failure does not outlast the test. */
const TIME_LIMIT_MS = 45_000;
const BODY_SHOWN = 1_000;
const LEAST_SHARE_GOOD = 0.01;

/** How many answers of each status an operation gave. */
type Tally = Map<number, number>;

function shown({ caller, method, url, headers, body }: FuzzRequest): string {
  return `${method} ${url} by ${caller}, ${JSON.stringify(headers)}${body === null ? '' : `, ${JSON.stringify(body.toString('latin1').slice(0, BODY_SHOWN))}`}`;
}

class Run {
  readonly tallies = new Map<string, Tally>();
  readonly #world: World;
  readonly #judge: Judge;
  readonly #agent = new Agent({ keepAlive: true, maxSockets: 64 });

  constructor(world: World) {
    this.#world = world;
    this.#judge = new Judge(world.document);
    onTestFinished(() => { this.#agent.destroy(); });
  }

  /** @returns what is wrong; empty: nothing is */
  async faultsOf(operation: Operation, numRuns: number): Promise<string[]> {
    const { document, words, callers } = this.#world;
    const kinds = [...Object.keys(callers), ...Array.from({ length: 8 }, () => 'administrator')];
    const requests = requestsFor(operation, new SchemaValues(document, words), kinds);
    const property = fc.asyncProperty(requests, async (request) => { await this.#expectGood(operation, request); });
    const details = await fc.check(property, {
      seed: SEED, numRuns, interruptAfterTimeLimit: TIME_LIMIT_MS, includeErrorInReport: true,
    });
    if (!details.failed) return [];
    const [smallest] = details.counterexample ?? [];
    const what = details.errorInstance instanceof Error ? details.errorInstance.message : String(details.errorInstance);
    return [`${operation.id}: ${what}\n  ${smallest === undefined ? 'out of time' : shown(smallest)}`];
  }

  async #expectGood(operation: Operation, request: FuzzRequest): Promise<void> {
    const credential = this.#world.callers[request.caller]!;
    const answer = await answerTo(request, this.#world.port, this.#agent, credential);
    const tally = this.tallies.get(operation.id) ?? new Map<number, number>();
    this.tallies.set(operation.id, tally.set(answer.status, (tally.get(answer.status) ?? 0) + 1));
    const fault = this.#judge.verdict(operation, answer, { isKnown: Object.keys(credential).length > 0 });
    if (fault !== null) throw new Error(fault);
  }
}

function describeRun(tallies: ReadonlyMap<string, Tally>, storage: string, seconds: number): string {
  const lines = [...tallies].map(([id, tally]) => `  ${id}: ${[...tally].sort(([a], [b]) => a - b).map(([status, count]) => `${status}×${count}`).join(' ')}`);
  const total = [...tallies.values()].flatMap((tally) => [...tally.values()]).reduce((sum, count) => sum + count, 0);
  return `FUZZ_SEED=${SEED}, ${storage}: ${total} requests in ${seconds.toFixed(1)} s, ${(total / seconds).toFixed(0)}/s\n${lines.join('\n')}`;
}

// Other requests at a second attempt would hide what these have found.
test('every answer to every operation is as the OpenAPI document says, whatever is asked', { retry: 0, timeout: 120_000 }, async () => {
  const world = await openWorld();
  const documented = operationsOf(world.document);
  const implied = impliedOperations(documented);
  const operations = [...documented, ...implied];
  const run = new Run(world);
  const begun = performance.now();
  const faults = (await Promise.all([
    ...documented.map((operation) => run.faultsOf(operation, REQUESTS)),
    ...implied.map((operation) => run.faultsOf(operation, Math.ceil(REQUESTS * SHARE_IMPLIED))),
  ])).flat();
  process.stdout.write(`${describeRun(run.tallies, world.storage, (performance.now() - begun) / 1_000)}\n`);
  const errors = world.lines.filter(({ level }) => level >= 50).map((line) => JSON.stringify(line));
  expect(errors.slice(0, 5), `FUZZ_SEED=${SEED}, ${world.storage}`).toEqual([]);
  expect(faults, `FUZZ_SEED=${SEED}, ${world.storage}`).toEqual([]);
  // Else only the checks at the door have been tried.
  for (const { id } of operations) {
    const tally = [...run.tallies.get(id) ?? []];
    const all = tally.reduce((sum, [, count]) => sum + count, 0);
    const good = tally.reduce((sum, [status, count]) => sum + (status < 300 ? count : 0), 0);
    expect(good, `good answers of ${id}`).toBeGreaterThan(all * LEAST_SHARE_GOOD);
  }
});
