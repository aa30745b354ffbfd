/** Where the records go: the API that the options name, or that of the Odograph that runs on this machine. */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Settings } from '../config/settings.ts';
import { findRunning } from '../shared/runtime-file.ts';

export interface Target {
  /** Of `POST /v1/records`. */
  readonly url: URL;
  readonly key: string;
}

/** Neither an option nor a running Odograph says where to, or with which key. */
export class NoTargetError extends Error {
  override readonly name = 'NoTargetError';
}

export interface TargetOptions {
  readonly url: string | undefined;
  readonly key: string | undefined;
}

/** The administrator's, which only this user can read. */
async function keptToken({ ODOGRAPH_DATA_DIR: dataDir, AUTH_TOKEN }: Settings): Promise<string | undefined> {
  if (AUTH_TOKEN !== undefined) return AUTH_TOKEN;
  try {
    return (await readFile(join(dataDir, 'auth-token'), 'utf8')).trim();
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return undefined;
    throw error;
  }
}

/** @throws NoTargetError */
export async function findTarget({ url, key }: TargetOptions, settings: Settings): Promise<Target> {
  const base = url ?? findRunning(settings.ODOGRAPH_DATA_DIR)?.apiUrl;
  if (base === undefined || base === null) {
    throw new NoTargetError(`--url: expected the URL of the API, since no Odograph runs with its data in ${settings.ODOGRAPH_DATA_DIR}, got nothing`);
  }
  // The token of this machine's Odograph is for that alone.
  const ownKey = url === undefined ? await keptToken(settings) : undefined;
  const chosen = key ?? ownKey;
  if (chosen === undefined) throw new NoTargetError('--key: expected an API key with the scope write (or ODOGRAPH_API_KEY), got nothing');
  return { url: new URL('v1/records', base.endsWith('/') ? base : `${base}/`), key: chosen };
}

export function isLocal({ url }: Target): boolean {
  return ['localhost', '127.0.0.1', '[::1]'].includes(url.hostname);
}
