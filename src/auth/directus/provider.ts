/** `AUTH_PROVIDER=directus`: Directus says who somebody is and what they may read, each time in their own name. */
import { createHash } from 'node:crypto';
import type { Settings } from '../../config/settings.ts';
import type { AuthProvider } from '../provider.ts';
import type { OnDirectusRequest } from './client.ts';
import { DirectusClient } from './client.ts';
import { identify } from './identity.ts';
import { DirectusPermissions } from './permissions.ts';
import { UserDirectory } from './user-directory.ts';
import type { OnWatch } from './watcher.ts';
import { DirectusWatcher } from './watcher.ts';

export interface DirectusOptions {
  readonly settings: Settings;
  readonly baseUrl: string;
  readonly onRequest: OnDirectusRequest;
  readonly onWatch: OnWatch;
}

export function directusProvider({ settings, baseUrl, onRequest, onWatch }: DirectusOptions): AuthProvider {
  const client = new DirectusClient(baseUrl, settings.DIRECTUS_MAX_REQUESTS, onRequest);
  const { DIRECTUS_SERVICE_TOKEN: serviceToken, DIRECTUS_AUTH_TIMEOUT_MS: timeoutMs } = settings;
  const directory = serviceToken === undefined ? null : new UserDirectory(client, serviceToken, timeoutMs);
  const acceptUnknownStatus = settings.DIRECTUS_UNKNOWN_STATUS === 'accept';
  const identity = { client, timeoutMs, directory, acceptUnknownStatus };
  const permissions = new DirectusPermissions({
    client,
    timeoutMs: settings.DIRECTUS_AUTHZ_TIMEOUT_MS,
    devices: { collection: settings.DIRECTUS_DEVICE_COLLECTION, field: settings.DIRECTUS_DEVICE_FIELD },
    groups: { collection: settings.DIRECTUS_GROUP_COLLECTION, field: settings.DIRECTUS_GROUP_FIELD },
  });
  const watcher = serviceToken === undefined ? null : new DirectusWatcher(baseUrl, serviceToken, onWatch);
  return {
    name: 'directus',
    cookieName: settings.DIRECTUS_COOKIE_NAME,
    takesQueryToken: false,
    // Policies may have rules about the address of the caller.
    keyOf: ({ secret, address }) => createHash('sha256').update(`${address} ${secret}`).digest('base64'),
    authenticate: (credential, known) => identify(identity, credential, known),
    authorise: (credential, resources) => permissions.authorise(credential, resources),
    accessOf: (credential) => permissions.accessOf(credential),
    watch: (onChange) => { watcher?.start(onChange); },
    stop: () => {
      watcher?.stop();
      client.stop();
    },
  };
}
