/**
 * What can be read off a credential without its secret. Nothing here is trusted before Directus has accepted the
 * token: the claims say when it ends and what Directus froze into it.
 */
import { z } from 'zod';

export interface TokenClaims {
  readonly userId: string | null;
  /** The role at the time of the login: Directus goes by it until the token ends. null: none. */
  readonly role: string | null;
  /** Epoch milliseconds. */
  readonly expiresAt: number | null;
}

const payload = z.object({
  id: z.string().nullish(),
  role: z.string().nullish(),
  exp: z.number().nullish(),
});

const MS = 1_000;
const WELL_FORMED = /^[\x21-\x7e]{8,4096}$/;

/**
 * Whether this may be sent to Directus at all. An empty or malformed token would make the request anonymous, which
 * Directus answers with what its Public policy lets everybody read.
 */
export function isWellFormed(token: string): boolean {
  return WELL_FORMED.test(token);
}

/** null: not a JWT, so a static token. */
export function claimsOf(token: string): TokenClaims | null {
  const [header, body, signature, ...more] = token.split('.');
  if (header === undefined || body === undefined || signature === undefined || more.length > 0) return null;
  try {
    const { id, role, exp } = payload.parse(JSON.parse(Buffer.from(body, 'base64url').toString()));
    return { userId: id ?? null, role: role ?? null, expiresAt: typeof exp === 'number' ? exp * MS : null };
  } catch {
    // Three parts with dots between, and yet not a JWT.
    return null;
  }
}
