/**
 * Who somebody is and what they may read, asked of an authority. Deny by default: whatever is not an explicit yes is a
 * refusal (`refused`: the authority said no) or no answer (`unavailable`: it could not be asked), and neither is a yes.
 * Nothing here throws for what a user sends or an authority answers.
 */

import type { Access } from './access.ts';

/** What a caller presents, and from where. */
export interface Credential {
  readonly kind: 'bearer' | 'cookie' | 'query';
  readonly secret: string;
  /** Address of the caller, for rules of the authority that depend on it. */
  readonly address: string;
}

/** Something that may be read or not. */
export type Resource =
  | { readonly kind: 'device'; readonly id: string }
  | { readonly kind: 'group'; readonly id: string }
  | { readonly kind: 'all' };

/** One text per resource. */
export function resourceKey(resource: Resource): string {
  return resource.kind === 'all' ? '*' : `${resource.kind}:${resource.id}`;
}

export interface Identity {
  readonly userId: string;
  /** When the credential ends, epoch milliseconds; null: it has no end of its own. */
  readonly expiresAt: number | null;
}

/** Why a credential is not good, or not any more. */
export type RefusalCode = 'credential_refused' | 'credential_expired' | 'user_inactive' | 'role_changed' | 'status_unknown';

export interface Refused {
  readonly outcome: 'refused';
  readonly code: RefusalCode;
  readonly message: string;
}

export interface Unavailable {
  readonly outcome: 'unavailable';
  /** For operators, not for whoever asked. */
  readonly message: string;
}

export type Authentication = { readonly outcome: 'accepted'; readonly identity: Identity } | Refused | Unavailable;

/** `allowed` holds the keys of those resources, out of the ones asked about, that may be read. */
export type Authorisation = { readonly outcome: 'decided'; readonly allowed: ReadonlySet<string> } | Refused | Unavailable;

/** What a caller reaches, where the authority says. */
export type AccessAnswer = { readonly outcome: 'decided'; readonly access: Access } | Refused | Unavailable;

/** What has changed at the authority: one user, or something that may concern anybody. */
export type AuthorityChange = { readonly userIds: readonly string[] } | 'anything';

export interface AuthProvider {
  readonly name: string;
  /** Name of the cookie that may carry a credential; null: none may. */
  readonly cookieName: string | null;
  /** A credential may come as `?access_token=` in a URL, which ends up in logs. */
  readonly takesQueryToken: boolean;
  /** Callers with one key are one and the same to the authority. Holds no secret. */
  keyOf(credential: Credential): string;
  /**
   * @param known who it was, for a credential that is asked about again and is also used: whether the authority accepts
   *   it may then be left to that
   */
  authenticate(credential: Credential, known: Identity | null): Promise<Authentication>;
  /** @param identity whose the credential is, as `authenticate` has said */
  authorise(credential: Credential, resources: readonly Resource[], identity: Identity): Promise<Authorisation>;
  /** What the credential is good for beyond single resources. */
  accessOf(credential: Credential, identity: Identity): Promise<AccessAnswer>;
  /** Reports changes from now on, until `stop`. An authority that cannot tell reports none. */
  watch(onChange: (change: AuthorityChange) => void): void;
  stop(): void;
}
