/**
 * Which web pages may call. Other sites' scripts may read answers only where their origin is listed (CORS). A cookie is
 * sent by the browser whoever asks, so what changes something with a cookie, or sets one, has to come from a page of
 * the API's own origin or of a listed one; the browser says which in `Origin`.
 */
import cors from '@fastify/cors';
import type { FastifyInstance, FastifyRequest } from 'fastify';
import { Problem } from './problem.ts';

const PREFLIGHT_AGE_S = 600;
/** What answers bear beyond what every page may read. */
const EXPOSED_HEADERS = [
  'cache-status', 'content-disposition', 'etag', 'idempotent-replayed', 'link', 'preference-applied',
  'ratelimit-limit', 'ratelimit-policy', 'ratelimit-remaining', 'ratelimit-reset', 'retry-after', 'x-request-id',
];

/** Before everything else: what a page is not allowed to read it is told nothing about. */
export async function allowOrigins(app: FastifyInstance, allowed: readonly string[]): Promise<void> {
  await app.register(cors, {
    origin: [...allowed],
    credentials: true,
    methods: ['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE'],
    exposedHeaders: EXPOSED_HEADERS,
    maxAge: PREFLIGHT_AGE_S,
    strictPreflight: false,
  });
}

function hostOf(origin: string): string | undefined {
  return URL.canParse(origin) ? new URL(origin).host : undefined;
}

/**
 * @param isDemanded a request without `Origin` is refused too
 * @throws Problem for a page of an origin that is neither listed nor ours
 */
export function checkOrigin(
  request: FastifyRequest, allowed: readonly string[], { isDemanded }: { readonly isDemanded: boolean },
): void {
  const { origin } = request.headers;
  if (origin === undefined) {
    if (isDemanded) throw new Problem('origin_refused', 'a request that changes something with a cookie has to have an Origin');
    return;
  }
  if (allowed.includes(origin) || hostOf(origin) === request.host) return;
  throw new Problem('origin_refused', `pages of ${origin.slice(0, 200)} may not: list the origin in API_ALLOWED_ORIGINS`);
}
