/** What a caller may do, beyond the question whether one device may be read. */

export const ROLES = ['viewer', 'editor', 'admin'] as const;
export type Role = (typeof ROLES)[number];

export const SCOPES = ['read', 'write', 'admin'] as const;
export type Scope = (typeof SCOPES)[number];

/** What may be read: everything, some devices and groups, or whatever the authority says when it is asked. */
export type Reach =
  /** `groups` present: all devices, and the authority is asked about each group. */
  | { readonly kind: 'all'; readonly groups?: 'asked' }
  | { readonly kind: 'granted'; readonly devices: readonly string[]; readonly groups: readonly string[] }
  | { readonly kind: 'asked' };

export interface Access {
  readonly role: Role;
  readonly scopes: ReadonlySet<Scope>;
  readonly reach: Reach;
  /** Of the devices that the scope `write` reaches; does not wait for anything. */
  mayWrite(deviceId: string): boolean;
}

/** Everything, for an administrator. */
export const FULL_ACCESS: Access = {
  role: 'admin',
  scopes: new Set(SCOPES),
  reach: { kind: 'all' },
  mayWrite: () => true,
};
