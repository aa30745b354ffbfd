/**
 * The database behind a bulkhead and a breaker.
 *
 * Bulkhead: cheap and expensive questions have lanes of their own, which together are as wide as the pool. However many
 * expensive ones there are, a cheap one finds its connection. Breaker: after several questions in a row to which the
 * database was away, further ones are refused at once for a moment, instead of each waiting for its time-out.
 *
 * Errors: a `Problem` (`overloaded`, `unavailable`) for who is not let through; otherwise those of the database behind.
 */
import type { CircuitBreakerPolicy } from 'cockatiel';
import { BrokenCircuitError, CircuitState, ConsecutiveBreaker, circuitBreaker, handleWhen } from 'cockatiel';
import type { Settings } from '../../config/settings.ts';
import { Problem } from '../../http/problem.ts';
import type { Answering, Question, TextRow, Weight } from '../database.ts';
import { problemOf } from '../database-problem.ts';
import type { ProtectionEvents } from './events.ts';
import { Lane } from './lane.ts';

const WEIGHTS: readonly Weight[] = ['cheap', 'expensive'];

type ProtectionSettings = Pick<
  Settings, 'QUERY_POOL_SIZE' | 'QUERY_EXPENSIVE_CONNECTIONS' | 'QUERY_QUEUE_LIMIT' | 'QUERY_QUEUE_TIMEOUT_MS'
>;

const FAILURES_TO_OPEN = 5;
const OPEN_MS = 2_000;

const isAway = (error: unknown): boolean => error instanceof Problem && error.code === 'unavailable';

export class ProtectedDatabase implements Answering {
  readonly #database: Answering;
  readonly #events: ProtectionEvents;
  readonly #lanes: Readonly<Record<Weight, Lane>>;
  readonly #breaker: CircuitBreakerPolicy;

  constructor(database: Answering, settings: ProtectionSettings, events: ProtectionEvents) {
    const { QUERY_POOL_SIZE: all, QUERY_EXPENSIVE_CONNECTIONS: share } = settings;
    const expensive = Math.min(share, all - 1);
    this.#database = database;
    this.#events = events;
    this.#lanes = { cheap: this.#lane('cheap', all - expensive, settings), expensive: this.#lane('expensive', expensive, settings) };
    this.#breaker = circuitBreaker(handleWhen(isAway), {
      halfOpenAfter: OPEN_MS, breaker: new ConsecutiveBreaker(FAILURES_TO_OPEN),
    });
    this.#breaker.onStateChange((state) => { events.breaker(state !== CircuitState.Closed); });
    for (const weight of WEIGHTS) this.#measure(weight);
    events.breaker(false);
  }

  ask<Row>(question: Question, signal: AbortSignal): Promise<Row[]> {
    return this.run(question.weight ?? 'cheap', signal, () => this.#database.ask<Row>(question, signal));
  }

  askText(question: Question, signal: AbortSignal): Promise<TextRow[]> {
    return this.run(question.weight ?? 'cheap', signal, () => this.#database.askText(question, signal));
  }

  /** For work that takes one connection: lets it in when there is one for it. */
  async run<T>(weight: Weight, signal: AbortSignal, work: () => Promise<T>): Promise<T> {
    const running = this.#lanes[weight].run(signal, () => {
      this.#measure(weight);
      return this.#unbroken(weight, work);
    });
    this.#measure(weight);
    try {
      return await running;
    } catch (error) {
      throw problemOf(error, signal);
    } finally {
      this.#measure(weight);
    }
  }

  async #unbroken<T>(weight: Weight, work: () => Promise<T>): Promise<T> {
    try {
      return await this.#breaker.execute(work);
    } catch (error) {
      if (!(error instanceof BrokenCircuitError)) throw error;
      this.#events.turnedAway(weight, 'broken');
      throw new Problem('unavailable', 'the database was away a moment ago', { retryAfterSeconds: OPEN_MS / 1_000 });
    }
  }

  #lane(weight: Weight, size: number, settings: ProtectionSettings): Lane {
    const { QUERY_QUEUE_LIMIT: queueLimit, QUERY_QUEUE_TIMEOUT_MS: maxWaitMs } = settings;
    return new Lane({ size, queueLimit, maxWaitMs }, (reason) => { this.#events.turnedAway(weight, reason); });
  }

  #measure(weight: Weight): void {
    const { running, waiting } = this.#lanes[weight];
    this.#events.queues(weight, running, waiting);
  }
}
