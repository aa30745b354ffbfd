/** Asking a process to stop. */

/** Exit status of a process that a second Ctrl-C ended, as shells give it: 128 + SIGINT. */
const INTERRUPTED = 130;

/** Resolves with the first SIGTERM or SIGINT; a second one ends the process at once. */
export async function stopSignal(): Promise<NodeJS.Signals> {
  const { promise, resolve } = Promise.withResolvers<NodeJS.Signals>();
  let asked = false;
  const onSignal = (signal: NodeJS.Signals): void => {
    if (asked) process.exit(INTERRUPTED);
    asked = true;
    resolve(signal);
  };
  process.on('SIGTERM', onSignal);
  process.on('SIGINT', onSignal);
  return promise;
}
