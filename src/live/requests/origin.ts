/**
 * Which web pages may connect. A browser says in `Origin` whose page it is; what is no browser says nothing, and can
 * say what it likes. A cookie is sent by the browser whoever asks, so with a cookie the page has to be one of the list.
 */

export interface OriginRequest {
  readonly origin: string | undefined;
  /** The `Host` header. */
  readonly host: string | undefined;
  readonly hasCookie: boolean;
}

function hostOf(origin: string): string | undefined {
  return URL.canParse(origin) ? new URL(origin).host : undefined;
}

/** Why a page may not connect; null: it may. */
export function originProblem({ origin, host, hasCookie }: OriginRequest, allowed: readonly string[]): string | null {
  if (origin === undefined) return hasCookie ? 'a cookie without an Origin is not accepted' : null;
  if (allowed.includes(origin)) return null;
  if (hasCookie) return `pages of ${origin} may not connect with a cookie: list the origin in LIVE_ALLOWED_ORIGINS`;
  if (host !== undefined && hostOf(origin) === host) return null;
  return `pages of ${origin} may not connect: list the origin in LIVE_ALLOWED_ORIGINS`;
}
