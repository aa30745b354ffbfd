/** The Compose files agree with the settings, and with what the promises need of Redis and Docker. */
import { describe, expect, it } from 'vitest';
import { loadSettings } from '../../src/config/load.ts';
import { ROLE_NAMES, SETTINGS } from '../../src/config/settings.ts';
import { readText, readYaml } from './files.ts';

interface Service {
  readonly image?: string;
  readonly build?: unknown;
  readonly command?: readonly string[];
  readonly environment?: Readonly<Record<string, string>>;
  readonly ports?: readonly string[];
  readonly volumes?: readonly string[];
  readonly healthcheck?: unknown;
  readonly restart?: string;
  readonly stop_grace_period?: string;
  readonly deploy?: { readonly resources: { readonly limits: { readonly memory: string } } };
  readonly logging?: { readonly options: Readonly<Record<string, string>> };
  readonly depends_on?: Readonly<Record<string, { readonly condition: string }>>;
}

interface Compose {
  readonly services: Readonly<Record<'redis' | 'database' | 'odograph', Service>>;
  readonly volumes: Readonly<Record<string, unknown>>;
}

/** As Compose fills in variables that are set to `given`, or not at all. */
function interpolate(value: string, given: Readonly<Record<string, string>> = {}): string {
  return value.replace(/\$\{(\w+)(?::([-?])([^}]*))?\}/g, (_, name: string, operator?: string, rest?: string) => {
    const set = given[name];
    if (set !== undefined) return set;
    return operator === '-' ? rest! : 'given';
  });
}

function environmentOf(service: Service, given?: Readonly<Record<string, string>>): Record<string, string> {
  const entries = Object.entries(service.environment ?? {});
  return Object.fromEntries(entries.map(([name, value]) => [name, interpolate(value, given)]));
}

/** `address:host:container` → the port inside. */
const containerPort = (mapping: string): number => Number(interpolate(mapping).split(':').at(-1));

function option({ command = [] }: Service, name: string): string | undefined {
  const at = command.indexOf(`--${name}`);
  return at === -1 ? undefined : command[at + 1];
}

describe.each(['compose.yaml', 'compose.dev.yaml'])('%s', (file) => {
  it('gives Odograph settings that exist, with values that are taken', async () => {
    const { services } = await readYaml<Compose>(file);
    const environment = environmentOf(services.odograph);
    expect(Object.keys(environment).filter((name) => !(name in SETTINGS))).toEqual([]);
    expect(() => loadSettings(environment)).not.toThrow();
    expect(environment['REDIS_URL']).toMatch(/@?redis:6379$/);
    expect(environment['POSTGRES_URL']).toMatch(/@database:5432\/odograph$/);
  });

  it('publishes the ports that Odograph listens on', async () => {
    const { services } = await readYaml<Compose>(file);
    const settings = loadSettings(environmentOf(services.odograph));
    const { INGEST_LISTENERS: listeners, LIVE_WS_PORT: live, API_PORT: api, METRICS_PORT: metrics } = settings;
    const ports = [...listeners.map(({ port }) => port), live, api, metrics];
    expect(services.odograph.ports?.map(containerPort)).toEqual(ports);
  });

  it('runs every role', async () => {
    const { services } = await readYaml<Compose>(file);
    expect(loadSettings(environmentOf(services.odograph)).ROLES).toEqual(ROLE_NAMES);
  });

  it('publishes live, HTTP, metrics, Redis and PostgreSQL to this machine only', async () => {
    const { services } = await readYaml<Compose>(file);
    const published = Object.values(services).flatMap(({ ports = [] }) => ports.map((mapping) => interpolate(mapping)));
    expect(published.filter((mapping) => /:(8080|8081|9090|6379|5432)$/.test(mapping) && !mapping.startsWith('127.0.0.1:'))).toEqual([]);
  });

  it('pins every image that it does not build', async () => {
    const { services } = await readYaml<Compose>(file);
    const images = Object.values(services).filter(({ build }) => build === undefined).map(({ image }) => image ?? '');
    expect(images.map((image) => interpolate(image, { ODOGRAPH_TAG: '1.2.3' })).filter((image) => !/:[^:]*\d+\.\d+[^:]*$/.test(image))).toEqual([]);
  });

  it('runs a Redis that appends to disk and refuses writes rather than evict records', async () => {
    const { redis } = (await readYaml<Compose>(file)).services;
    expect(option(redis, 'appendonly')).toBe('yes');
    expect(interpolate(option(redis, 'appendfsync') ?? '')).toBe(file === 'compose.yaml' ? 'always' : 'everysec');
    expect(option(redis, 'auto-aof-rewrite-min-size')).toBe('1gb');
    expect(option(redis, 'maxmemory-policy')).toBe('noeviction');
    expect(interpolate(option(redis, 'maxmemory') ?? '')).toMatch(/^\d+(mb|gb)$/);
  });

  it('keeps data in named volumes', async () => {
    const { services, volumes } = await readYaml<Compose>(file);
    expect([...(services.redis.volumes ?? []), ...(services.database.volumes ?? [])]).toEqual([
      'redis-data:/data',
      'database-data:/var/lib/postgresql/data',
    ]);
    expect(Object.keys(volumes)).toEqual(['redis-data', 'database-data']);
  });

  it('starts Odograph when both servers answer', async () => {
    const { redis, database, odograph } = (await readYaml<Compose>(file)).services;
    expect(odograph.depends_on).toEqual({ redis: { condition: 'service_healthy' }, database: { condition: 'service_healthy' } });
    expect([redis.healthcheck, database.healthcheck]).not.toContain(undefined);
    expect(await readText('Dockerfile')).toContain('HEALTHCHECK');
  });

  it('gives Odograph more time to stop than it takes', async () => {
    const { odograph } = (await readYaml<Compose>(file)).services;
    const { SHUTDOWN_TIMEOUT_MS: timeoutMs } = loadSettings(environmentOf(odograph));
    expect(Number(/^(\d+)s$/.exec(odograph.stop_grace_period ?? '')?.[1]) * 1000).toBeGreaterThan(timeoutMs);
  });
});

describe('compose.yaml', () => {
  it('restarts, limits and rotates the logs of every service', async () => {
    for (const service of Object.values((await readYaml<Compose>('compose.yaml')).services)) {
      expect(service.restart).toBe('unless-stopped');
      expect(interpolate(service.deploy!.resources.limits.memory)).toMatch(/^\d+g$/);
      expect(service.logging!.options).toEqual({ 'max-size': '10m', 'max-file': '5' });
      expect(service.stop_grace_period).toMatch(/^\d+s$/);
    }
  });

  it('has no password in it', async () => {
    const text = await readText('compose.yaml');
    const secrets = [...text.matchAll(/^ +\w*(?:PASSWORD|TOKEN)\w*: (.*)$/gm)].map(([, value]) => value!);
    expect(secrets.length).toBeGreaterThan(2);
    expect(secrets.filter((value) => !/^\$\{\w+(:\?.*|:-)?\}$/.test(value))).toEqual([]);
  });

  it('has no token of the administrator unless the stack has one', async () => {
    const { odograph } = (await readYaml<Compose>('compose.yaml')).services;
    expect(loadSettings(environmentOf(odograph)).AUTH_TOKEN).toBeUndefined();
    const AUTH_TOKEN = 'a-token-of-the-stack';
    expect(loadSettings(environmentOf(odograph, { AUTH_TOKEN })).AUTH_TOKEN).toBe(AUTH_TOKEN);
  });

  it('hands what the live server needs through from the stack', async () => {
    const { odograph } = (await readYaml<Compose>('compose.yaml')).services;
    const settings = loadSettings(environmentOf(odograph, {
      AUTH_PROVIDER: 'directus',
      DIRECTUS_BASE_URL: 'https://directus.example.com',
      DIRECTUS_SERVICE_TOKEN: 'service-token',
      LIVE_ALLOWED_ORIGINS: 'https://fleet.example.com',
      LIVE_PROXY_HOPS: '1',
    }));
    expect(settings).toMatchObject({
      AUTH_PROVIDER: 'directus',
      DIRECTUS_BASE_URL: 'https://directus.example.com',
      DIRECTUS_SERVICE_TOKEN: 'service-token',
      LIVE_ALLOWED_ORIGINS: ['https://fleet.example.com'],
      LIVE_PROXY_HOPS: 1,
    });
  });

  it('is described variable by variable in the operations document', async () => {
    const variables = new Set([...(await readText('compose.yaml')).matchAll(/\$\{(\w+)/g)].map(([, name]) => name!));
    const document = await readText('docs/operations.md');
    expect([...variables].filter((name) => !document.includes(`\`${name}\``))).toEqual([]);
  });
});
