import { defineConfig } from 'vitest/config';
import { secondAttempts } from './test/support/second-attempts.ts';

/**
 * `unit`: pure code, no server, seconds. `integration`: real Redis and PostgreSQL, started once for the run by
 * `test/support/global-setup.ts`; every suite has a database of its own. `browser`: pages in a real Chromium, over the
 * same servers. `directus`: a real Directus beside them, installed once by `test/directus/support/global-setup.ts`.
 * What has servers is tried once more where it fails: it waits for processes that a busy machine may leave waiting for
 * longer than a test does. The end of a run names what needed it.
 */
const servers = 'test/support/global-setup.ts';
const timeouts = { testTimeout: 60_000, hookTimeout: 120_000 };

function project(name: string, globalSetup: string[]) {
  return { test: { name, include: [`test/**/*.${name}.test.ts`], globalSetup, retry: 1, ...timeouts } };
}

export default defineConfig({
  test: {
    reporters: ['default', secondAttempts],
    projects: [
      {
        test: {
          name: 'unit',
          include: ['test/**/*.test.ts'],
          exclude: ['test/**/*.{integration,browser,directus}.test.ts'],
          testTimeout: 20_000,
        },
      },
      project('integration', [servers]),
      project('browser', [servers]),
      project('directus', ['test/directus/support/global-setup.ts', servers]),
    ],
  },
});
