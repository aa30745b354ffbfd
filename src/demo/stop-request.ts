/**
 * How the demo is asked to end: Ctrl-C, SIGTERM, or a terminal that is gone. One request may come as several signals at
 * once, from the terminal and from npm; a Ctrl-C a second later is impatience.
 */

const SAME_REQUEST_MS = 1_000;
const SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;

/** @param impatient what a second Ctrl-C does. */
export function stopRequest(impatient: () => void): AbortSignal {
  const controller = new AbortController();
  let requestedAt = 0;
  const request = (signal?: NodeJS.Signals): void => {
    const again = controller.signal.aborted && Date.now() - requestedAt > SAME_REQUEST_MS;
    if (again && signal === 'SIGINT') impatient();
    if (controller.signal.aborted) return;
    requestedAt = Date.now();
    controller.abort();
  };
  for (const signal of SIGNALS) process.on(signal, request);
  // Nobody reads any more.
  process.stdout.on('error', () => request());
  return controller.signal;
}
