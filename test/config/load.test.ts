import { describe, expect, it } from 'vitest';
import { loadSettings } from '../../src/config/load.ts';
import type { Setting } from '../../src/config/setting.ts';
import type { SettingName, Settings } from '../../src/config/settings.ts';
import { SETTINGS } from '../../src/config/settings.ts';
import { problemsOf } from './problems.ts';

const entries = Object.entries(SETTINGS) as [SettingName, Setting<unknown>][];

/** What a setting takes and what not: from its own words where these tell, else from the table below. */
function samples(name: SettingName, { expected }: Setting<unknown>): { good: string[]; bad: string[] } | undefined {
  const [, min, max] = /^an integer from (-?\d+) to (\d+)$/.exec(expected) ?? [];
  if (min !== undefined && max !== undefined) {
    const outside = [String(Number(min) - 1), String(Number(max) + 1)];
    return { good: [min, max], bad: [...outside, '1.5', '1e3', '0x10', ' 5', '5ms', 'abc', '9'.repeat(30)] };
  }
  const [, choices] = /^one of (.+)$/.exec(expected) ?? [];
  if (choices !== undefined) return { good: choices.split(', '), bad: ['nonsense', choices.split(', ')[0]!.toUpperCase(), ' '] };
  return OTHERS[name];
}

const TEXT = { good: ['x', 'a b c', '0'], bad: [] };

const ORIGINS = {
  good: ['https://a.example', 'http://localhost:5173, https://b.example:8443'],
  bad: ['*', 'null', 'a.example', 'https://a.example/', 'https://A.example', 'https://a.example/live', 'ftp://a.example'],
};

const OTHERS: Partial<Record<SettingName, { good: string[]; bad: string[] }>> = {
  ROLES: { good: ['ingest', 'core', 'live', 'query', 'core, ingest'], bad: ['ingest,ingest', 'ingest,', 'web', ','] },
  INSTANCE_ID: TEXT,
  ODOGRAPH_DATA_DIR: TEXT,
  METRICS_HOST: TEXT,
  INGEST_HOST: TEXT,
  LIVE_WS_HOST: TEXT,
  API_HOST: TEXT,
  LIVE_BROADCAST_GROUP_PREFIX: TEXT,
  LIVE_ALLOWED_ORIGINS: ORIGINS,
  API_ALLOWED_ORIGINS: ORIGINS,
  DIRECTUS_BASE_URL: { good: ['http://localhost:8055', 'https://cms.example.com/directus'], bad: ['localhost:8055', 'ws://localhost'] },
  DIRECTUS_COOKIE_NAME: TEXT,
  DIRECTUS_DEVICE_COLLECTION: TEXT,
  DIRECTUS_DEVICE_FIELD: TEXT,
  DIRECTUS_GROUP_COLLECTION: TEXT,
  DIRECTUS_GROUP_FIELD: TEXT,
  DIRECTUS_SERVICE_TOKEN: { good: ['01234567'], bad: ['0123456'] },
  INGEST_TLS_CERT_FILE: TEXT,
  INGEST_TLS_KEY_FILE: TEXT,
  AUTH_TOKEN: { good: ['0123456789abcdef'], bad: ['0123456789abcde'] },
  REDIS_URL: { good: ['redis://localhost', 'rediss://user:pass@host:6380/3'], bad: ['localhost:6379', 'http://localhost', 'redis'] },
  POSTGRES_URL: { good: ['postgres://localhost/db', 'postgresql://u:p@h:5432/db'], bad: ['mysql://localhost', 'localhost'] },
  INGEST_LISTENERS: { good: ['teltonika:5027', 'a:0,a:0'], bad: ['5027', 'teltonika', 'teltonika:99999', 'a:1,b:1'] },
};

describe('every setting', () => {
  it.each(entries)('%s takes what it says, and nothing else', (name, setting) => {
    const sample = samples(name, setting);
    expect(sample, 'no samples for this setting').toBeDefined();
    for (const text of sample!.good) expect(setting.schema.safeParse(text).success, text).toBe(true);
    for (const text of sample!.bad) {
      const given = setting.secret ? '(not shown)' : JSON.stringify(text);
      expect(problemsOf({ [name]: text }), text).toEqual([`${name}: expected ${setting.expected}, got ${given}`]);
    }
  });

  it.each(entries)('%s has a default that it takes, unless it may be absent', (name, setting) => {
    const value = loadSettings({})[name];
    if (setting.default === null) expect(value).toBeUndefined();
    else expect(value).toEqual(setting.schema.parse(setting.default));
  });

  it.each(entries)('%s says what it is for, in one sentence or more', (_name, { doc }) => {
    expect(doc).toMatch(/^[A-Z`].*\.$/);
  });

  it('that is empty counts as absent', () => {
    const empty = Object.fromEntries(entries.map(([name]) => [name, '']));
    expect(loadSettings(empty)).toEqual(loadSettings({}));
  });
});

describe('settings', () => {
  it('are typed values, frozen', () => {
    const settings = loadSettings({ ROLES: 'core', INGEST_LISTENERS: 'teltonika+tls:5028', INGEST_TLS_CERT_FILE: 'c', INGEST_TLS_KEY_FILE: 'k' });
    expect(settings.ROLES).toEqual(['core']);
    expect(settings.INGEST_LISTENERS).toEqual([{ protocol: 'teltonika', transport: 'tls', port: 5028 }]);
    expect(settings.SHUTDOWN_TIMEOUT_MS).toBe(15_000);
    expect(Object.isFrozen(settings)).toBe(true);
  });

  it('ignore variables of others', () => {
    const foreign = { PATH: '/bin', REDIS_HOST: 'x', APP_PORT: '1', LOGLEVEL: 'x', NODE_ROLES: 'x', POSTGRES_PASSWORD: 'x', npm_config_cache: 'x', HOME: '/root', LIVE: '1' };
    expect(problemsOf(foreign)).toEqual([]);
  });
});

describe('a start with wrong settings', () => {
  it('names every problem at once, each with its name, what was expected and what was given', () => {
    const wrong = { METRICS_PORT: 'many', LOG_LEVEL: 'loud', INGEST_REPLICAS: '0', INGEST_LISTENER: 'teltonika:5027' };
    const problems = problemsOf(wrong);
    expect(problems).toEqual([
      'LOG_LEVEL: expected one of trace, debug, info, warn, error, fatal, silent, got "loud"',
      'METRICS_PORT: expected an integer from 0 to 65535, got "many"',
      'INGEST_REPLICAS: expected an integer from 1 to 16, got "0"',
      'INGEST_LISTENER: there is no such setting; did you mean INGEST_LISTENERS?',
    ]);
    expect(() => loadSettings(wrong)).toThrow(`4 problems in the settings:\n  ${problems.join('\n  ')}`);
    expect(() => loadSettings({ LOG_LEVEL: 'loud' })).toThrow('1 problem in the settings:\n  LOG_LEVEL');
  });

  it('takes a variable that is almost a setting for a slip, unless the setting is given too', () => {
    expect(problemsOf({ METRICS_PROT: '1', REDIS_URI: 'x', POSTGRES_UR: 'x' })).toEqual([
      'METRICS_PROT: there is no such setting; did you mean METRICS_PORT?',
      'REDIS_URI: there is no such setting; did you mean REDIS_URL?',
      'POSTGRES_UR: there is no such setting; did you mean POSTGRES_URL?',
    ]);
    expect(problemsOf({ REDIS_URI: 'x', REDIS_URL: 'redis://h' })).toEqual([]);
  });

  it('adds what other parts know about the settings that are right', () => {
    const rule = ({ LOG_LEVEL, INGEST_REPLICAS }: Partial<Settings>) => [`LOG_LEVEL ${LOG_LEVEL}, replicas ${INGEST_REPLICAS}`];
    expect(() => loadSettings({ LOG_LEVEL: 'warn', INGEST_REPLICAS: '0' }, rule)).toThrow(
      /2 problems.*\n.*INGEST_REPLICAS: expected.*\n.*LOG_LEVEL warn, replicas undefined/,
    );
  });

  it('shows no secret', () => {
    const secrets = { REDIS_URL: 'http://:hunter2@h', POSTGRES_URL: 'x://user:hunter2@h', AUTH_TOKEN: 'hunter2' };
    const problems = problemsOf(secrets);
    expect(problems).toHaveLength(3);
    expect(problems.join()).not.toContain('hunter2');
    for (const problem of problems) expect(problem).toMatch(/got \(not shown\)$/);
  });

  it('shows the beginning of a long value', () => {
    const [problem] = problemsOf({ LOG_LEVEL: 'x'.repeat(500) });
    expect(problem!.length).toBeLessThan(200);
    expect(problem).toContain('…');
  });

  it.each([
    ['INGEST_DURABILTY', 'INGEST_DURABILITY'],
    ['ODOGRAPH_DATADIR', 'ODOGRAPH_DATA_DIR'],
    ['STREAM_PARTITION', 'STREAM_PARTITIONS'],
    ['PROCESSOR_BLOCK_MSEC', 'PROCESSOR_BLOCK_MS'],
    ['POSITIONS_RETENTION_DAY', 'POSITIONS_RETENTION_DAYS'],
  ])('suggests for %s the setting %s', (name, suggestion) => {
    expect(problemsOf({ [name]: '1' })).toEqual([`${name}: there is no such setting; did you mean ${suggestion}?`]);
  });

  it('suggests nothing where nothing is near', () => {
    expect(problemsOf({ ODOGRAPH_COLOUR_OF_THE_SKY: 'blue' })).toEqual(['ODOGRAPH_COLOUR_OF_THE_SKY: there is no such setting']);
  });

  it('does not take a name of Object for a setting', () => {
    expect(problemsOf({ INGEST_constructor: '1', constructor: '1', toString: '1' })).toHaveLength(1);
  });
});
