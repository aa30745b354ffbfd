/**
 * How the demo is asked to end: Ctrl-C, SIGTERM, or a terminal that is gone. One request may come as several signals at
 * once, from the terminal and from npm; a Ctrl-C a second later is impatience.
 */
import { onStopRequest } from '../shared/stop-signal.ts';

/** @param impatient what a second Ctrl-C does. */
export function stopRequest(impatient: () => void): AbortSignal {
  const controller = new AbortController();
  const request = onStopRequest(
    ['SIGINT', 'SIGTERM', 'SIGHUP'],
    () => { controller.abort(); },
    (signal) => { if (signal === 'SIGINT') impatient(); },
  );
  // Nobody reads any more.
  process.stdout.on('error', () => { request(); });
  return controller.signal;
}
