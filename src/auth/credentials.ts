/** The credential that a request carries in its headers or its URL. Reads only; says nothing about its worth. */
import type { IncomingHttpHeaders } from 'node:http';
import type { AuthProvider, Credential } from './provider.ts';

interface CredentialRequest {
  readonly headers: IncomingHttpHeaders;
  /** Of the request's URL. */
  readonly query: URLSearchParams;
  /** Of the caller. */
  readonly address: string;
}

function cookieValue(header: string | undefined, name: string): string | undefined {
  for (const part of header?.split(';') ?? []) {
    const equals = part.indexOf('=');
    if (equals > 0 && part.slice(0, equals).trim() === name) return part.slice(equals + 1).trim();
  }
  return undefined;
}

/** A header that is there and holds no token is a credential that is no good, not the absence of one. */
function bearerToken(header: string | undefined): string | undefined {
  if (header === undefined) return undefined;
  return /^Bearer (\S+)$/i.exec(header)?.[1] ?? '';
}

/**
 * What a request presents: the `Authorization` header, else `?access_token=`, else the cookie that a browser sends by
 * itself. null: nothing.
 */
export function credentialOf(
  { headers, query, address }: CredentialRequest,
  { cookieName }: Pick<AuthProvider, 'cookieName'>,
): Credential | null {
  const bearer = bearerToken(headers.authorization);
  if (bearer !== undefined) return { kind: 'bearer', secret: bearer, address };
  const token = query.get('access_token');
  if (token !== null) return { kind: 'query', secret: token, address };
  const cookie = cookieName === null ? undefined : cookieValue(headers.cookie, cookieName);
  return cookie === undefined ? null : { kind: 'cookie', secret: cookie, address };
}
