/** Whether the demo left processes behind: it must not. */
import { setTimeout as delay } from 'node:timers/promises';
import { descendantsOf, startOf } from '../embedded/process-table.ts';

const GRACE_MS = 5_000;
const POLL_MS = 50;

/** The processes that this one started, directly or not, with what tells them from later ones of the same pid. */
export async function startedProcesses(): Promise<ReadonlyMap<number, string>> {
  const started = new Map<number, string>();
  for (const pid of await descendantsOf(process.pid)) {
    const since = await startOf(pid);
    if (since !== undefined) started.set(pid, since);
  }
  return started;
}

/** Those that still live after a grace of five seconds. */
export async function leftovers(started: ReadonlyMap<number, string>): Promise<readonly number[]> {
  const deadline = Date.now() + GRACE_MS;
  for (;;) {
    const living: number[] = [];
    for (const [pid, since] of started) if ((await startOf(pid)) === since) living.push(pid);
    if (living.length === 0 || Date.now() > deadline) return living;
    await delay(POLL_MS);
  }
}
