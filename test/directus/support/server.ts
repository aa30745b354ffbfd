/** A real Directus of a suite's own. */
import { mkdtemp } from 'node:fs/promises';
import { join } from 'node:path';
import { inject } from 'vitest';
import type { PrivateServer } from '../../support/private-server.ts';
import type { DirectusOptions } from './process.ts';
import { startDirectusIn } from './process.ts';

/** A Directus to be stopped, killed or frozen, on a database of the suite's own. Stop it in the end. */
export async function startDirectus(options: DirectusOptions): Promise<PrivateServer> {
  return await startDirectusIn(await mkdtemp(join(inject('servers').folder, 'directus-')), options);
}
