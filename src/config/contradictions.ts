/** Combinations of settings, each valid alone, that cannot work together: one rule a function, one line a problem. */
import type { Settings } from './settings.ts';

type Rule = (settings: Settings) => readonly string[];

const tlsNeedsCertificate: Rule = (settings) => {
  if (!settings.INGEST_LISTENERS.some((listener) => listener.transport === 'tls')) return [];
  const missing = (['INGEST_TLS_CERT_FILE', 'INGEST_TLS_KEY_FILE'] as const).filter((name) => settings[name] === undefined);
  return missing.map((name) => `${name}: expected a PEM file, since INGEST_LISTENERS has a +tls listener, got nothing`);
};

const portsDiffer: Rule = (settings) => {
  const taken = new Map<number, string>();
  const problems: string[] = [];
  const claim = (name: string, port: number): void => {
    const other = taken.get(port);
    if (port !== 0 && other !== undefined) problems.push(`${name}: expected a port of its own, got ${port}, which ${other} has`);
    taken.set(port, name);
  };
  for (const { transport, port } of settings.INGEST_LISTENERS) if (transport !== 'udp') claim('INGEST_LISTENERS', port);
  for (const name of ['METRICS_PORT', 'API_PORT', 'LIVE_WS_PORT'] as const) claim(name, settings[name]);
  return problems;
};

const claimsComeAfterRenewals: Rule = (settings) => {
  const least = 2 * settings.PROCESSOR_CLAIM_INTERVAL_MS;
  if (settings.PROCESSOR_CLAIM_IDLE_MS >= least) return [];
  return [`PROCESSOR_CLAIM_IDLE_MS: expected at least twice PROCESSOR_CLAIM_INTERVAL_MS (${least}), got ${settings.PROCESSOR_CLAIM_IDLE_MS}`];
};

/**
 * Beside the writers one connection holds the consumer name, one listens to the database, one rolls up, and
 * one is for the rest of the upkeep.
 */
const poolHoldsWriters: Rule = (settings) => {
  const least = settings.PROCESSOR_WRITERS + 4;
  if (!settings.ROLES.includes('core') || settings.POSTGRES_POOL_SIZE >= least) return [];
  return [`POSTGRES_POOL_SIZE: expected at least PROCESSOR_WRITERS + 4 (${least}), got ${settings.POSTGRES_POOL_SIZE}`];
};

const compressionBeforeRetention: Rule = (settings) => {
  const { POSITIONS_RETENTION_DAYS: retention, POSITIONS_COMPRESS_AFTER_DAYS: compress } = settings;
  if (retention === 0 || compress === 0 || compress < retention) return [];
  return [`POSITIONS_COMPRESS_AFTER_DAYS: expected less than POSITIONS_RETENTION_DAYS (${retention}), got ${compress}`];
};

/** Or expensive questions would leave nothing for cheap ones. */
const cheapQuestionsHaveConnections: Rule = (settings) => {
  const { QUERY_POOL_SIZE: all, QUERY_EXPENSIVE_CONNECTIONS: expensive } = settings;
  if (expensive < all) return [];
  return [`QUERY_EXPENSIVE_CONNECTIONS: expected less than QUERY_POOL_SIZE (${all}), got ${expensive}`];
};

const directusHasAddress: Rule = (settings) => {
  const isAsked = settings.AUTH_PROVIDER === 'directus' && settings.ROLES.some((role) => role !== 'core');
  if (!isAsked || settings.DIRECTUS_BASE_URL !== undefined) return [];
  return ['DIRECTUS_BASE_URL: expected the URL of Directus, since AUTH_PROVIDER is directus, got nothing'];
};

/** An answer that may take longer than a decision stands would let every decision lapse now and then. */
const decisionsOutliveQuestions: Rule = (settings) => {
  if (settings.AUTH_PROVIDER !== 'directus') return [];
  const least = 3 * (settings.DIRECTUS_AUTH_TIMEOUT_MS + settings.DIRECTUS_AUTHZ_TIMEOUT_MS);
  if (settings.LIVE_AUTHZ_REVALIDATE_MS >= least) return [];
  return [`LIVE_AUTHZ_REVALIDATE_MS: expected at least three times DIRECTUS_AUTH_TIMEOUT_MS + DIRECTUS_AUTHZ_TIMEOUT_MS (${least}), got ${settings.LIVE_AUTHZ_REVALIDATE_MS}`];
};

const RULES: readonly Rule[] = [
  tlsNeedsCertificate,
  portsDiffer,
  claimsComeAfterRenewals,
  poolHoldsWriters,
  compressionBeforeRetention,
  cheapQuestionsHaveConnections,
  directusHasAddress,
  decisionsOutliveQuestions,
];

/** One line for each combination that cannot work. */
export function contradictions(settings: Settings): readonly string[] {
  return RULES.flatMap((rule) => rule(settings));
}
