/**
 * Work that several callers wait for is done once. It goes on while anybody waits for it, and is told to stop when the
 * last one has gone. Nothing is kept after it has ended.
 */

interface Flight<T> {
  readonly result: Promise<T>;
  readonly abandoned: AbortController;
  waiting: number;
}

export class Flights<T> {
  readonly #flights = new Map<string, Flight<T>>();

  get size(): number {
    return this.#flights.size;
  }

  /**
   * Begins `work`, or waits for that of the same key which is under way.
   * @param signal aborts when the caller has gone
   * @param work is given a signal that aborts when all its callers have gone
   * @returns the result, and whether another caller had begun it
   * @throws the reason of `signal`, or what `work` throws
   */
  async join(
    key: string,
    signal: AbortSignal,
    work: (signal: AbortSignal) => Promise<T>,
  ): Promise<{ readonly result: T; readonly isShared: boolean }> {
    signal.throwIfAborted();
    const existing = this.#flights.get(key);
    const flight = existing ?? this.#begin(key, work);
    flight.waiting += 1;
    const { promise: gone, reject } = Promise.withResolvers<never>();
    const onAbort = (): void => { reject(signal.reason as Error); };
    signal.addEventListener('abort', onAbort, { once: true });
    try {
      return { result: await Promise.race([flight.result, gone]), isShared: existing !== undefined };
    } finally {
      signal.removeEventListener('abort', onAbort);
      flight.waiting -= 1;
      if (flight.waiting === 0) this.#end(key, flight);
    }
  }

  #begin(key: string, work: (signal: AbortSignal) => Promise<T>): Flight<T> {
    const abandoned = new AbortController();
    const flight: Flight<T> = { result: work(abandoned.signal), abandoned, waiting: 0 };
    this.#flights.set(key, flight);
    return flight;
  }

  /** Whoever comes from now on begins anew: what nobody waits for has ended, or is being stopped. */
  #end(key: string, flight: Flight<T>): void {
    if (this.#flights.get(key) === flight) this.#flights.delete(key);
    flight.abandoned.abort();
    // It may fail for having been stopped, and then there is nobody to tell.
    flight.result.catch((): null => null);
  }
}
