/**
 * Who gives way where the CPUs are short: trackers wait for what takes their records in, and nobody waits for what
 * stores them.
 */
import { getPriority, setPriority } from 'node:os';

/**
 * Gives a process a lower priority for the scheduler, for its threads and children to come too. One that has a lower
 * one already keeps it.
 * @param nice 0 to 19, as of nice(1)
 * @param pid absent: this process
 * @returns why it could not be done; null: it was
 */
export function giveWay(nice: number, pid = 0): Error | null {
  try {
    if (getPriority(pid) < nice) setPriority(pid, nice);
    return null;
  } catch (error) {
    if (error instanceof Error) return error;
    throw error;
  }
}
