/** What an administrator does in Directus, with the types of what tests say of users and their rights. */
import { DirectusApi } from './api.ts';
import { ADMIN } from './process.ts';

/** A filter, or a value in one: Directus's filter rules. */
export type Filter = Readonly<Record<string, unknown>>;

export interface User {
  readonly id: string;
  readonly email: string;
  readonly password: string;
  /** A static token; it does not expire. */
  readonly token: string | null;
  readonly status: 'active' | 'suspended' | 'draft' | 'invited' | 'archived';
  readonly role: string | null;
  /** Of the seed: the group whose trackers the user may see. */
  readonly fleet: string | null;
}

export interface Permission {
  readonly id: number;
  readonly policy: string;
  readonly collection: string;
  readonly action: 'create' | 'read' | 'update' | 'delete' | 'share';
  /** null: every item. */
  readonly permissions: Filter | null;
  readonly fields: readonly string[];
}

export interface Policy {
  readonly id: string;
  readonly name: string;
  readonly admin_access: boolean;
  readonly app_access: boolean;
  readonly ip_access: readonly string[] | null;
  /** To be made with the policy; written to it later, they replace those it has. */
  readonly permissions: readonly Partial<Permission>[];
}

export interface Role {
  readonly id: string;
  readonly name: string;
  readonly policies: readonly { readonly policy: string }[];
}

/** Attaches a policy to a user or to a role. */
export interface Access {
  readonly id: string;
  readonly policy: string;
  readonly user: string | null;
  readonly role: string | null;
}

/** The items of one of Directus's own collections. */
export class Items<T extends { readonly id: string | number }> {
  readonly #api: DirectusApi;
  readonly #path: string;

  constructor(api: DirectusApi, path: string) {
    this.#api = api;
    this.#path = path;
  }

  /** @returns the key, made by Directus where the item has none */
  async create(item: Partial<T>): Promise<T['id']> {
    return ((await this.#api.call('POST', `${this.#path}?fields=id`, item)) as T).id;
  }

  /** In one request, so that it takes little more than one. The answer is in another order: give each item its key. */
  async createAll(items: readonly (Partial<T> & Pick<T, 'id'>)[]): Promise<void> {
    await this.#api.call('POST', `${this.#path}?fields=id`, items);
  }

  async find(filter: Filter): Promise<readonly T[]> {
    const query = { filter, fields: ['*'], limit: -1 };
    return (await this.#api.call('SEARCH', this.#path, { query })) as readonly T[];
  }

  async patch(id: T['id'], changes: Partial<T>): Promise<void> {
    await this.#api.call('PATCH', `${this.#path}/${id}?fields=id`, changes);
  }

  async delete(id: T['id']): Promise<void> {
    await this.#api.call('DELETE', `${this.#path}/${id}`);
  }
}

export class DirectusAdmin {
  /** For everything that has no method here. */
  readonly api: DirectusApi;
  readonly users: Items<User>;
  readonly roles: Items<Role>;
  readonly policies: Items<Policy>;
  readonly permissions: Items<Permission>;
  readonly access: Items<Access>;

  constructor(url: string, token = ADMIN.token) {
    this.api = new DirectusApi(url, { token });
    this.users = new Items(this.api, '/users');
    this.roles = new Items(this.api, '/roles');
    this.policies = new Items(this.api, '/policies');
    this.permissions = new Items(this.api, '/permissions');
    this.access = new Items(this.api, '/access');
  }

  async suspend(userId: string): Promise<void> {
    await this.users.patch(userId, { status: 'suspended' });
  }

  async activate(userId: string): Promise<void> {
    await this.users.patch(userId, { status: 'active' });
  }

  /** What was changed behind Directus's back: tables, or its own rows of users and permissions. */
  async clearSystemCache(): Promise<void> {
    await this.api.call('POST', '/utils/cache/clear?system');
  }
}
