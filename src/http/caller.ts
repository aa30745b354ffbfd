/** Who calls: what the hook before every handler finds out, and what handlers decide by. */
import type { Role, Scope } from '../auth/access.ts';

/** Devices and records of others are not there for a caller: in no list, no total and no cached answer. */
export type Visibility =
  /** `readableGroups` absent: all groups too. */
  | { readonly kind: 'all'; readonly readableGroups?: AskedGroups }
  /** These devices by their unique ids, and the present members of these groups by their ids. */
  | { readonly kind: 'granted'; readonly devices: readonly string[]; readonly groups: readonly string[] }
  /** The authority is asked; answers are kept for a while. @throws Problem when it cannot be asked. */
  | {
    readonly kind: 'asked';
    readable(deviceIds: readonly string[]): Promise<ReadonlySet<string>>;
    readonly readableGroups: AskedGroups;
  };

/** Of these groups, by their ids, those that may be read. @throws Problem when the authority cannot be asked */
export type AskedGroups = (groupIds: readonly string[]) => Promise<ReadonlySet<string>>;

export interface Caller {
  /** Stable id of the key, user or administrator, for cache keys, rate limits and logs. Holds no secret. */
  readonly id: string;
  readonly role: Role;
  readonly scopes: ReadonlySet<Scope>;
  readonly visibility: Visibility;
  /** When the credential ends by itself, epoch milliseconds; null: it does not. */
  readonly expiresAt: number | null;
  /** Whether records of this device may be written. Answers at once: it asks neither the database nor an authority. */
  mayWrite(deviceId: string): boolean;
}
