/** Directus is installed before the first suite, however long that takes: the time-out of a test would end it. */
import { ensureDirectus } from '../../../scripts/directus/installation.ts';

export async function setup(): Promise<void> {
  await ensureDirectus();
}
