/**
 * What a user may read, asked of Directus with the user's own credential. A SEARCH for the wanted ids gives back those
 * that the user's policies let through; only an id that comes back is allowed. Nothing is cut silently: the limit is
 * the number of ids asked for, and where Directus allows less the question is put in smaller chunks.
 */
import { z } from 'zod';
import type { Authorisation, Credential, Resource } from '../provider.ts';
import { resourceKey } from '../provider.ts';
import type { DirectusAnswer, DirectusClient } from './client.ts';
import { DirectusUnavailable } from './client.ts';

export interface PermissionOptions {
  readonly client: DirectusClient;
  readonly timeoutMs: number;
  readonly devices: { readonly collection: string; readonly field: string };
  readonly groups: { readonly collection: string; readonly field: string };
}

/** 5,000 ids in one request took Directus 12 ms, 100 took 4; its bodies end at 1 MB. */
const FIRST_CHUNK = 1_000;

const rows = z.array(z.record(z.string(), z.unknown()));
const permissionsOfMine = z.record(
  z.string(),
  z.object({ read: z.object({ access: z.string(), fields: z.array(z.string()).optional() }).optional() }),
);

/**
 * Identifiers that Directus takes for something else in a filter: a variable, or no value. It never finds them, and
 * for some of them it refuses the whole question.
 */
const UNASKABLE = /^(?:\$(?:NOW|CURRENT_(?:USER|ROLE|POLICIES))|null$)/i;

/** The caller's credential is no longer good. */
class DeadCredential extends Error {
  override readonly name = 'DeadCredential';
}

export class DirectusPermissions {
  readonly #options: PermissionOptions;
  /** As many ids as this Directus takes: QUERY_LIMIT_MAX there, where that is less. */
  #chunk = FIRST_CHUNK;

  constructor(options: PermissionOptions) {
    this.#options = options;
  }

  async authorise(credential: Credential, resources: readonly Resource[]): Promise<Authorisation> {
    try {
      const parts = await Promise.all([
        this.#readable(credential, 'device', resources),
        this.#readable(credential, 'group', resources),
        this.#everything(credential, resources),
      ]);
      return { outcome: 'decided', allowed: new Set(parts.flat()) };
    } catch (error) {
      if (error instanceof DirectusUnavailable) return { outcome: 'unavailable', message: error.message };
      if (!(error instanceof DeadCredential)) throw error;
      return { outcome: 'refused', code: 'credential_refused', message: 'Directus does not accept the credential any more' };
    }
  }

  /** Keys of the resources of one kind that may be read. */
  async #readable(credential: Credential, kind: 'device' | 'group', resources: readonly Resource[]): Promise<string[]> {
    const ids = resources.flatMap((one) => (one.kind === kind && !UNASKABLE.test(one.id) ? [one.id] : []));
    const found: string[] = [];
    let size = this.#chunk;
    let isRefused = false;
    for (let at = 0; at < ids.length;) {
      const chunk = ids.slice(at, at + size);
      const echoed = await this.#search(credential, kind, chunk);
      if (echoed === null && chunk.length > 1) {
        // Too many at once for this Directus: again, with fewer.
        size = Math.ceil(chunk.length / 2);
        continue;
      }
      isRefused ||= echoed === null;
      found.push(...chunk.filter((id) => echoed?.has(id) === true).map((id) => resourceKey({ kind, id })));
      at += chunk.length;
    }
    // One question that is refused for its one id says nothing of how many are too many.
    if (!isRefused) this.#chunk = Math.min(this.#chunk, size);
    return found;
  }

  /** The ids that came back; null: Directus refuses the question. */
  async #search(credential: Credential, kind: 'device' | 'group', ids: readonly string[]): Promise<Set<string> | null> {
    const { collection, field } = kind === 'device' ? this.#options.devices : this.#options.groups;
    const query = { filter: { [field]: { _in: ids } }, fields: [field], limit: ids.length };
    const answer = await this.#ask(credential, 'SEARCH', `/items/${encodeURIComponent(collection)}`, { query });
    if (answer.kind === 'forbidden') return new Set();
    if (answer.kind === 'invalid_query') return null;
    const found = answer.kind === 'data' ? rows.safeParse(answer.data) : undefined;
    if (found?.success !== true) throw new DirectusUnavailable(`Directus did not answer for ${collection}.${field}`);
    return new Set(found.data.flatMap((row) => (typeof row[field] === 'string' ? [row[field]] : [])));
  }

  /** Everything may be read by whom no rule narrows the devices for, and who may read which one is which. */
  async #everything(credential: Credential, resources: readonly Resource[]): Promise<string[]> {
    if (!resources.some(({ kind }) => kind === 'all')) return [];
    const answer = await this.#ask(credential, 'GET', '/permissions/me');
    const found = answer.kind === 'data' ? permissionsOfMine.safeParse(answer.data) : undefined;
    const { collection, field } = this.#options.devices;
    const { access, fields = [] } = found?.data?.[collection]?.read ?? {};
    const isNamed = fields.includes('*') || fields.includes(field);
    return access === 'full' && isNamed ? [resourceKey({ kind: 'all' })] : [];
  }

  async #ask({ secret, address }: Credential, method: 'GET' | 'SEARCH', path: string, body?: unknown): Promise<DirectusAnswer> {
    const { client, timeoutMs } = this.#options;
    const answer = await client.ask({ method, path, body, token: secret, address, timeoutMs });
    if (answer.kind === 'dead_credential') throw new DeadCredential(answer.code);
    return answer;
  }
}
