/** How V8 manages the memory of a process that everything passes through and nothing stays in. */
import { setFlagsFromString } from 'node:v8';

/** Without it V8 allocates among the old what it expects to become old. */
export const PRETENURING_OFF = '--no-allocation-site-pretenuring';

/**
 * Lets all objects begin young. V8 learns from the moments in which much waits that records live long, and puts them
 * from then on where only a collection of the whole heap finds them, with all that they hold. To be called before the
 * work begins.
 */
export function keepRecordsYoung(): void {
  setFlagsFromString(PRETENURING_OFF);
}
