/** Asking a process to stop. */

/** Exit status of a process that a second Ctrl-C ended, as shells give it: 128 + SIGINT. */
const INTERRUPTED = 130;

/** One request can arrive twice: from whoever signals a process and its group, and from npm, which passes it on. */
const SAME_REQUEST_MS = 1_000;

/**
 * Calls `first` at the first of these signals, and `again` at each that comes so much later that it is another request.
 * @returns what asks in the same way without a signal
 */
export function onStopRequest(
  signals: readonly NodeJS.Signals[],
  first: (signal?: NodeJS.Signals) => void,
  again: (signal?: NodeJS.Signals) => void,
): (signal?: NodeJS.Signals) => void {
  let askedAt: number | null = null;
  const request = (signal?: NodeJS.Signals): void => {
    if (askedAt === null) {
      askedAt = performance.now();
      first(signal);
    } else if (performance.now() - askedAt > SAME_REQUEST_MS) again(signal);
  };
  for (const signal of signals) process.on(signal, request);
  return request;
}

/** Resolves with the first SIGTERM or SIGINT; a second request ends the process at once. */
export async function stopSignal(): Promise<NodeJS.Signals> {
  const { promise, resolve } = Promise.withResolvers<NodeJS.Signals>();
  onStopRequest(['SIGTERM', 'SIGINT'], (signal = 'SIGTERM') => { resolve(signal); }, () => process.exit(INTERRUPTED));
  return promise;
}
