/**
 * The examples of `docs/http-api.md`, run as they stand against a system with every route: each block of shell has to
 * succeed, and where a block of JSON follows it, what it prints has to be of that shape. Blocks share a shell, so that
 * later ones have the variables of earlier ones. A block marked `sh not-run` is for readers alone.
 */
import { execFile } from 'node:child_process';
import { mkdtemp } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { Registry } from 'prom-client';
import { expect, inject, onTestFinished, test } from 'vitest';
import { compose } from '../../src/composition/system.ts';
import type { Site } from '../core/support.ts';
import { recordingLogger, settingsOf } from '../core/support.ts';
import { readText, REPOSITORY } from '../deploy/files.ts';
import { addDevices } from '../live/fixtures.ts';
import { openPreparedSite } from '../live/support.ts';
import { TOKEN } from './support.ts';

interface Example {
  readonly shell: string;
  /** Text of the block of JSON that follows; undefined: none does. */
  readonly answer: string | undefined;
}

const DOCUMENT = 'docs/http-api.md';
const BLOCK = /^```sh\n([\s\S]*?)^```\n(?:\n```json\n([\s\S]*?)^```\n)?/gm;
const SEPARATOR = '@@@ next example @@@';

/** What a reader types, as programs of this repository: `npm run keys` and `npm run users`. */
const PRELUDE = `
set -euo pipefail
npm() {
  while [[ "$1" == run || "$1" == --silent ]]; do shift; done
  local name="$1"; shift
  [[ "$1" == -- ]] && shift
  "$NODE" "$ACCOUNTS/$name-main.ts" "$@" 2> /dev/null
}
`;

/** What the examples talk about. */
async function seed({ pool }: Site): Promise<void> {
  await addDevices(pool, 'demo-1', 'demo-2');
}

async function startSystem(site: Site): Promise<string> {
  const settings = settingsOf(site, {
    ROLES: 'ingest,core,query', API_PORT: '0', API_HOST: '127.0.0.1', INGEST_LISTENERS: 'teltonika:0', INGEST_HOST: '127.0.0.1',
  });
  const servers = { redisUrl: site.redisUrl, postgresUrl: site.postgresUrl, embedded: null, token: TOKEN };
  const system = compose({ settings, servers, registry: new Registry(), log: recordingLogger().log });
  onTestFinished(() => system.stop());
  await Promise.all(system.roles.map((role) => role.start()));
  return `http://127.0.0.1:${system.api!.port}`;
}

/** The value with its leaves as the names of their types, and of a list its first item: what an example promises. */
function shapeOf(value: unknown): unknown {
  if (Array.isArray(value)) return value.slice(0, 1).map(shapeOf);
  if (typeof value !== 'object' || value === null) return value === null ? 'null' : typeof value;
  return Object.fromEntries(Object.entries(value).map(([name, one]) => [name, shapeOf(one)]));
}

test('every example does what it says', async () => {
  const site = await openPreparedSite();
  await seed(site);
  const api = await startSystem(site);
  const examples: Example[] = [...(await readText(DOCUMENT)).matchAll(BLOCK)].map(([, shell = '', answer]) => ({ shell, answer }));
  expect(examples.length).toBeGreaterThan(4);
  const cwd = await mkdtemp(join(inject('servers').folder, 'examples-'));
  const script = [PRELUDE, ...examples.flatMap(({ shell }) => [`echo '${SEPARATOR}'`, shell])].join('\n');
  const { stdout } = await promisify(execFile)('bash', ['-c', script], {
    cwd,
    maxBuffer: 64 * 1024 * 1024,
    env: {
      PATH: process.env.PATH, API: api, AUTH_TOKEN: TOKEN, REDIS_URL: site.redisUrl, POSTGRES_URL: site.postgresUrl,
      NODE: process.execPath, ACCOUNTS: join(REPOSITORY, 'src/accounts'),
    },
  });
  const printed = stdout.split(`${SEPARATOR}\n`).slice(1);
  for (const [index, { shell, answer }] of examples.entries()) {
    if (answer === undefined) continue;
    expect(shapeOf(JSON.parse(printed[index] ?? '')), shell).toEqual(shapeOf(JSON.parse(answer)));
  }
});
