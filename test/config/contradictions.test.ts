import { describe, expect, it } from 'vitest';
import { problemsOf } from './problems.ts';

const TLS = { INGEST_LISTENERS: 'teltonika+tls:5028' };

describe('settings that contradict each other are refused', () => {
  const cases: readonly (readonly [what: string, environment: Record<string, string>, problems: string[]])[] = [
    ['a TLS listener without certificate and key', TLS, [
      'INGEST_TLS_CERT_FILE: expected a PEM file, since INGEST_LISTENERS has a +tls listener, got nothing',
      'INGEST_TLS_KEY_FILE: expected a PEM file, since INGEST_LISTENERS has a +tls listener, got nothing',
    ]],
    ['a TLS listener without key', { ...TLS, INGEST_TLS_CERT_FILE: 'c' }, [
      'INGEST_TLS_KEY_FILE: expected a PEM file, since INGEST_LISTENERS has a +tls listener, got nothing',
    ]],
    ['a listener on the port of the metrics', { INGEST_LISTENERS: 'teltonika:9090' }, [
      'METRICS_PORT: expected a port of its own, got 9090, which INGEST_LISTENERS has',
    ]],
    ['two services on one port', { API_PORT: '7000', LIVE_WS_PORT: '7000' }, [
      'LIVE_WS_PORT: expected a port of its own, got 7000, which API_PORT has',
    ]],
    ['claims before renewals', { PROCESSOR_CLAIM_IDLE_MS: '29999' }, [
      'PROCESSOR_CLAIM_IDLE_MS: expected at least twice PROCESSOR_CLAIM_INTERVAL_MS (30000), got 29999',
    ]],
    ['a pool too small for the writers', { PROCESSOR_WRITERS: '6' }, [
      'POSTGRES_POOL_SIZE: expected at least PROCESSOR_WRITERS + 4 (10), got 8',
    ]],
    ['no connection for cheap questions', { QUERY_POOL_SIZE: '3', QUERY_EXPENSIVE_CONNECTIONS: '3' }, [
      'QUERY_EXPENSIVE_CONNECTIONS: expected less than QUERY_POOL_SIZE (3), got 3',
    ]],
    ['Directus without its address', { AUTH_PROVIDER: 'directus' }, [
      'DIRECTUS_BASE_URL: expected the URL of Directus, since AUTH_PROVIDER is directus, got nothing',
    ]],
    ['decisions that lapse before they are asked again',
      { AUTH_PROVIDER: 'directus', DIRECTUS_BASE_URL: 'http://directus', LIVE_AUTHZ_REVALIDATE_MS: '29999' }, [
        'LIVE_AUTHZ_REVALIDATE_MS: expected at least three times DIRECTUS_AUTH_TIMEOUT_MS + DIRECTUS_AUTHZ_TIMEOUT_MS (30000), got 29999',
      ]],
    ['compression after retention', { POSITIONS_RETENTION_DAYS: '7' }, [
      'POSITIONS_COMPRESS_AFTER_DAYS: expected less than POSITIONS_RETENTION_DAYS (7), got 7',
    ]],
  ];

  it.each(cases)('%s', (_what, environment, problems) => {
    expect(problemsOf(environment)).toEqual(problems);
  });

  it('all at once', () => {
    const all = Object.assign({}, ...cases.map(([, environment]) => environment)) as Record<string, string>;
    expect(problemsOf({ ...all, ...TLS }).length).toBeGreaterThanOrEqual(5);
  });

  it('only once each value is right by itself', () => {
    expect(problemsOf({ ...TLS, LOG_LEVEL: 'loud' })).toHaveLength(1);
  });
});

describe('settings that only seem to contradict each other are taken', () => {
  it.each<[string, Record<string, string>]>([
    ['free ports', { METRICS_PORT: '0', API_PORT: '0', LIVE_WS_PORT: '0', INGEST_LISTENERS: 'teltonika:0,gt06:0' }],
    ['a UDP listener on a TCP port', { INGEST_LISTENERS: 'teltonika+udp:9090,teltonika:5027,teltonika+udp:5027' }],
    ['many writers where there is no core', { PROCESSOR_WRITERS: '32', ROLES: 'ingest' }],
    ['compression without retention', { POSITIONS_RETENTION_DAYS: '0', POSITIONS_COMPRESS_AFTER_DAYS: '9' }],
    ['retention without compression', { POSITIONS_RETENTION_DAYS: '1', POSITIONS_COMPRESS_AFTER_DAYS: '0' }],
  ])('%s', (_what, environment) => {
    expect(problemsOf(environment)).toEqual([]);
  });
});
