/** Logging in to Directus in the ways that users do: for a JWT, or for a session cookie. */
import { DirectusApi, DirectusRefusal } from './api.ts';

const COOKIE = 'directus_session_token';

export interface Tokens {
  /** A JWT, good until it expires whatever becomes of its user. */
  readonly accessToken: string;
  /** Good once. */
  readonly refreshToken: string;
}

interface TokensBody {
  readonly access_token: string;
  readonly refresh_token: string;
}

async function tokensFrom(url: string, path: string, body: object): Promise<Tokens> {
  const data = (await new DirectusApi(url).call('POST', path, { ...body, mode: 'json' })) as TokensBody;
  return { accessToken: data.access_token, refreshToken: data.refresh_token };
}

/** The answer's session cookie, as `name=value` for the header of a request. */
async function sessionFrom(api: DirectusApi, path: string, body: object): Promise<string> {
  const answer = await api.ask('POST', path, { ...body, mode: 'session' });
  const cookie = answer.headers.getSetCookie().find((line) => line.startsWith(`${COOKIE}=`))?.split(';')[0];
  if (answer.status !== 200 || cookie === undefined) throw new DirectusRefusal('POST', path, answer);
  return cookie;
}

/** `POST /auth/login` for tokens. @throws DirectusRefusal */
export async function logIn(url: string, email: string, password: string): Promise<Tokens> {
  return await tokensFrom(url, '/auth/login', { email, password });
}

/** New tokens for the refresh token, which is used up. @throws DirectusRefusal */
export async function refresh(url: string, refreshToken: string): Promise<Tokens> {
  return await tokensFrom(url, '/auth/refresh', { refresh_token: refreshToken });
}

/** Ends the login that the refresh token belongs to; its access token goes on until it expires. */
export async function logOut(url: string, refreshToken: string): Promise<void> {
  await new DirectusApi(url).call('POST', '/auth/logout', { refresh_token: refreshToken, mode: 'json' });
}

/** `POST /auth/login` for a session. @returns its cookie, as `name=value` @throws DirectusRefusal */
export async function logInSession(url: string, email: string, password: string): Promise<string> {
  return await sessionFrom(new DirectusApi(url), '/auth/login', { email, password });
}

/** A new cookie for the session; the old one is good for ten more seconds. @throws DirectusRefusal */
export async function refreshSession(url: string, cookie: string): Promise<string> {
  return await sessionFrom(new DirectusApi(url, { cookie }), '/auth/refresh', {});
}

/** Ends the session at once. */
export async function logOutSession(url: string, cookie: string): Promise<void> {
  await new DirectusApi(url, { cookie }).call('POST', '/auth/logout', { mode: 'session' });
}
