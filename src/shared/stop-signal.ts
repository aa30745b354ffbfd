/** Asking a process to stop. */

/** Exit status of a process that a second Ctrl-C ended, as shells give it: 128 + SIGINT. */
const INTERRUPTED = 130;

/** One request can arrive twice: from whoever signals a process and its group, and from npm, which passes it on. */
const SAME_REQUEST_MS = 1_000;

/** Resolves with the first SIGTERM or SIGINT; a second request ends the process at once. */
export async function stopSignal(): Promise<NodeJS.Signals> {
  const { promise, resolve } = Promise.withResolvers<NodeJS.Signals>();
  let askedAt: number | null = null;
  const onSignal = (signal: NodeJS.Signals): void => {
    if (askedAt !== null && performance.now() - askedAt > SAME_REQUEST_MS) process.exit(INTERRUPTED);
    askedAt ??= performance.now();
    resolve(signal);
  };
  process.on('SIGTERM', onSignal);
  process.on('SIGINT', onSignal);
  return promise;
}
