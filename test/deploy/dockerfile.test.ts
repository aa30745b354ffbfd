/** The Dockerfile agrees with the repository: what it copies, which Node, which ports, how its health is asked for. */
import { access } from 'node:fs/promises';
import { createServer } from 'node:http';
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { loadSettings } from '../../src/config/load.ts';
import type { Stage } from './dockerfile.ts';
import { stagesOf, valuesOf } from './dockerfile.ts';
import { readJson, readText, REPOSITORY } from './files.ts';

/** Sources of a COPY from the build context. */
function sources(stage: Stage): string[] {
  return valuesOf(stage, 'COPY').filter((value) => !value.startsWith('--from')).flatMap((value) => value.split(/\s+/).slice(0, -1));
}

async function healthExit(command: readonly string[], environment: Readonly<Record<string, string>>): Promise<number> {
  const [, ...args] = command;
  const child = spawn(process.execPath, args, { env: environment, stdio: 'ignore' });
  const [code] = (await once(child, 'exit')) as [number];
  return code;
}

describe('the Dockerfile', () => {
  let stages: Stage[];
  let image: Stage;
  beforeAll(async () => {
    stages = stagesOf(await readText('Dockerfile'));
    image = stages.at(-1)!;
  });

  it('copies what exists, and what .dockerignore lets in', async () => {
    const ignore = (await readText('.dockerignore')).split('\n');
    const copied = stages.flatMap(sources);
    expect(copied).toContain('src');
    expect(copied).toContain('migrations');
    for (const source of copied) {
      await expect(access(join(REPOSITORY, source))).resolves.toBeUndefined();
      expect(ignore).toContain(`!${source}`);
    }
    expect(ignore.find((line) => line !== '' && !line.startsWith('#'))).toBe('*');
  });

  it('copies the dependencies of a stage that installs no others than those of the runtime', () => {
    const [from] = valuesOf(image, 'COPY').filter((value) => value.startsWith('--from'));
    const builder = stages.find(({ alias }) => from?.startsWith(`--from=${alias} `));
    expect(valuesOf(builder!, 'RUN').join()).toMatch(/npm ci --omit=dev --ignore-scripts/);
  });

  it('has the Node version of .nvmrc and engines', async () => {
    const major = (await readText('.nvmrc')).trim();
    const { engines } = await readJson<{ engines: { node: string } }>('package.json');
    expect(stages.map((stage) => stage.image)).toEqual(stages.map(() => `node:${major}-bookworm-slim`));
    expect(engines.node).toMatch(new RegExp(`^>=${major}\\.`));
  });

  it('exposes the default ports', () => {
    const { INGEST_LISTENERS: listeners, LIVE_WS_PORT: live, API_PORT: api, METRICS_PORT: metrics } = loadSettings({});
    const exposed = valuesOf(image, 'EXPOSE').flatMap((value) => value.split(/\s+/)).map(Number);
    expect(exposed).toEqual([...listeners.map(({ port }) => port), live, api, metrics]);
  });

  it('runs the entry point without a shell, as a user without rights, stopped by SIGTERM', () => {
    expect(valuesOf(image, 'CMD').map((value) => JSON.parse(value) as unknown)).toEqual([['node', 'src/main.ts']]);
    expect(valuesOf(image, 'USER')).toEqual(['node']);
    expect(valuesOf(image, 'STOPSIGNAL')).toEqual(['SIGTERM']);
    expect(valuesOf(image, 'ENV').join(' ')).toMatch(/NODE_ENV=production\s+LOG_FORMAT=json/);
  });

  it('labels the image with what was built', () => {
    const labels = valuesOf(image, 'LABEL').join(' ');
    for (const name of ['version', 'revision', 'created']) {
      expect(labels).toContain(`org.opencontainers.image.${name}="\${${name.toUpperCase()}}"`);
      expect(valuesOf(image, 'ARG').some((value) => value.startsWith(`${name.toUpperCase()}=`))).toBe(true);
    }
  });

  it('asks /readyz of METRICS_PORT for its health', async () => {
    const [, json] = /CMD (\[.*\])$/.exec(valuesOf(image, 'HEALTHCHECK').join())!;
    const command = JSON.parse(json!) as string[];
    let status = 200;
    const asked: string[] = [];
    const server = createServer((request, response) => {
      asked.push(request.url ?? '');
      response.writeHead(status).end();
    }).listen(0, '127.0.0.1');
    await once(server, 'listening');
    const environment = { METRICS_PORT: String((server.address() as AddressInfo).port) };
    expect(await healthExit(command, environment)).toBe(0);
    status = 503;
    expect(await healthExit(command, environment)).toBe(1);
    expect(asked).toEqual(['/readyz', '/readyz']);
    server.close();
    await once(server, 'close');
    expect(await healthExit(command, environment)).toBe(1);
  });
});
