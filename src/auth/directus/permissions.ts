/**
 * What a user may read, asked of Directus with the user's own credential. A SEARCH for the wanted ids gives back those
 * that the user's policies let through; only an id that comes back is allowed. Nothing is cut silently: the limit is
 * the number of ids asked for, and where Directus allows less the question is put in smaller chunks.
 */
import { z } from 'zod';
import type { Access, Scope } from '../access.ts';
import type { AccessAnswer, Authorisation, Credential, Refused, Resource, Unavailable } from '../provider.ts';
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
const permission = z.object({ access: z.string(), fields: z.array(z.string()).optional() }).optional();
const permissionsOfMine = z.record(
  z.string(),
  z.object({ read: permission, create: permission, update: permission, delete: permission }),
);
type Permissions = z.infer<typeof permissionsOfMine>[string];

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

  /**
   * Reading is for everybody with an account, each row asked about unless no rule narrows the devices. Writing is for
   * whom no rule narrows the changing of devices: a rule could only be asked about device by device, and a record must
   * not wait for that. Administering is for who may do everything to devices.
   */
  async accessOf(credential: Credential): Promise<AccessAnswer> {
    return this.#answered(async () => {
      const { devices: mine, groups } = await this.#permissions(credential);
      const mayWrite = isFull(mine?.update);
      const isAdmin = mayWrite && isFull(mine?.read) && isFull(mine?.create) && isFull(mine?.delete);
      const scopes: Scope[] = ['read', ...(mayWrite ? (['write'] as const) : []), ...(isAdmin ? (['admin'] as const) : [])];
      const access: Access = {
        role: isAdmin ? 'admin' : mayWrite ? 'editor' : 'viewer',
        scopes: new Set(scopes),
        reach: this.#isEverything(mine) ? { kind: 'all', ...this.#askedGroups(groups) } : { kind: 'asked' },
        mayWrite: () => mayWrite,
      };
      return { outcome: 'decided', access };
    });
  }

  async authorise(credential: Credential, resources: readonly Resource[]): Promise<Authorisation> {
    return this.#answered(async () => {
      const parts = await Promise.all([
        this.#readable(credential, 'device', resources),
        this.#readable(credential, 'group', resources),
        this.#everything(credential, resources),
      ]);
      return { outcome: 'decided', allowed: new Set(parts.flat()) };
    });
  }

  /** What was found out, or why nothing was. */
  async #answered<Answer>(ask: () => Promise<Answer>): Promise<Answer | Refused | Unavailable> {
    try {
      return await ask();
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
    return this.#isEverything((await this.#permissions(credential)).devices) ? [resourceKey({ kind: 'all' })] : [];
  }

  #isEverything(mine: Permissions | undefined): boolean {
    return isReadWhole(mine, this.#options.devices.field);
  }

  /** Who may read all devices need not be asked about each group where no rule narrows the groups either. */
  #askedGroups(mine: Permissions | undefined): { readonly groups?: 'asked' } {
    return isReadWhole(mine, this.#options.groups.field) ? {} : { groups: 'asked' };
  }

  /** undefined: none, or an answer that says nothing. */
  async #permissions(credential: Credential): Promise<Readonly<Record<'devices' | 'groups', Permissions | undefined>>> {
    const answer = await this.#ask(credential, 'GET', '/permissions/me');
    const found = answer.kind === 'data' ? permissionsOfMine.safeParse(answer.data).data : undefined;
    const { devices, groups } = this.#options;
    return { devices: found?.[devices.collection], groups: found?.[groups.collection] };
  }

  async #ask({ secret, address }: Credential, method: 'GET' | 'SEARCH', path: string, body?: unknown): Promise<DirectusAnswer> {
    const { client, timeoutMs } = this.#options;
    const answer = await client.ask({ method, path, body, token: secret, address, timeoutMs });
    if (answer.kind === 'dead_credential') throw new DeadCredential(answer.code);
    return answer;
  }
}

/** Every row may be read, and of each the field that says which it is. */
function isReadWhole(mine: Permissions | undefined, field: string): boolean {
  const { fields = [] } = mine?.read ?? {};
  return isFull(mine?.read) && (fields.includes('*') || fields.includes(field));
}

/** No rule narrows it. */
function isFull(one: { readonly access: string } | undefined): boolean {
  return one?.access === 'full';
}
