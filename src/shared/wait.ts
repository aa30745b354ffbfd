/** Waiting for something, or until a signal ends the wait. None of these rejects, and none leaves a listener behind. */

/**
 * Resolves when `done` is called, or when `signal` aborts.
 * @param subscribe is given `done`, and returns what undoes the subscription
 */
export async function until(signal: AbortSignal, subscribe: (done: () => void) => () => void): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<undefined>();
  const done = (): void => { resolve(undefined); };
  signal.addEventListener('abort', done, { once: true });
  const unsubscribe = subscribe(done);
  if (signal.aborted) done();
  await promise;
  unsubscribe();
  signal.removeEventListener('abort', done);
}

/** Resolves when the time has passed, or when `signal` aborts. */
export async function pause(delayMs: number, signal: AbortSignal): Promise<void> {
  await until(signal, (done) => {
    const timer = setTimeout(done, delayMs);
    return () => { clearTimeout(timer); };
  });
}

/** Resolves when all have settled, or when `deadline` aborts. */
export async function settledBy(deadline: AbortSignal, ...work: readonly Promise<unknown>[]): Promise<void> {
  await until(deadline, (done) => {
    void Promise.allSettled(work).then(done);
    return () => undefined;
  });
}
