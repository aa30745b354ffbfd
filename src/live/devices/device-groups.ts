/**
 * Which devices belong to the groups that somebody follows, at this moment. Memberships have a time range, so they
 * begin and end by themselves; what has changed in the database comes in with `update`. While the database is away the
 * last known members stand.
 */
import type { GroupMembers, Membership } from './database.ts';

export interface GroupChange {
  readonly groupId: string;
  readonly joined: readonly string[];
  readonly left: readonly string[];
}

interface Group {
  /** Now, and in time to come. */
  memberships: readonly Membership[];
  readonly members: Set<string>;
  /** When its members changed last, as far as is known; epoch milliseconds. */
  changedAt: number;
}

export class DeviceGroups {
  readonly #groups = new Map<string, Group>();
  readonly #byDevice = new Map<string, Set<string>>();
  readonly #onChange: (change: GroupChange) => void;

  constructor(onChange: (change: GroupChange) => void) {
    this.#onChange = onChange;
  }

  get groupIds(): string[] {
    return [...this.#groups.keys()];
  }

  /** Pairs of device and group. */
  get size(): number {
    let pairs = 0;
    for (const { members } of this.#groups.values()) pairs += members.size;
    return pairs;
  }

  has(groupId: string): boolean {
    return this.#groups.has(groupId);
  }

  /** The devices of a group that is known. */
  membersOf(groupId: string): ReadonlySet<string> {
    return this.#groups.get(groupId)?.members ?? new Set();
  }

  /** The known groups of a device. */
  groupsOf(deviceId: string): Iterable<string> {
    return this.#byDevice.get(deviceId) ?? [];
  }

  /** Whether the members are the same since `epochMs`, as far as is known. */
  isUnchangedSince(groupId: string, epochMs: number): boolean {
    return (this.#groups.get(groupId)?.changedAt ?? Infinity) < epochMs;
  }

  /** Takes in what the database says of these groups: their changes are reported, those that are gone are empty. */
  update(asked: readonly string[], { groupIds, memberships }: GroupMembers, now: number): void {
    const byGroup = Map.groupBy(memberships, ({ groupId }) => groupId);
    for (const groupId of asked) {
      const known = this.#groups.get(groupId);
      if (known === undefined && !groupIds.has(groupId)) continue;
      const group = known ?? { memberships: [], members: new Set<string>(), changedAt: now };
      group.memberships = byGroup.get(groupId) ?? [];
      this.#groups.set(groupId, group);
      this.#apply(groupId, group, now);
    }
  }

  /** Begins and ends memberships by the clock. */
  advance(now: number): void {
    for (const [groupId, group] of this.#groups) this.#apply(groupId, group, now);
  }

  /** When the next membership begins or ends, epoch milliseconds; Infinity: none does. */
  nextBoundary(now: number): number {
    let next = Infinity;
    for (const { memberships } of this.#groups.values()) {
      for (const { from, to } of memberships) {
        if (from > now && from < next) next = from;
        if (to > now && to < next) next = to;
      }
    }
    return next;
  }

  /** Nobody follows this group any more. */
  forget(groupId: string): void {
    for (const deviceId of this.#groups.get(groupId)?.members ?? []) this.#unlink(deviceId, groupId);
    this.#groups.delete(groupId);
  }

  #apply(groupId: string, group: Group, now: number): void {
    const current = new Set(
      group.memberships.filter(({ from, to }) => from <= now && now < to).map(({ deviceId }) => deviceId),
    );
    const left = [...group.members].filter((deviceId) => !current.has(deviceId));
    const joined = [...current].filter((deviceId) => !group.members.has(deviceId));
    if (left.length === 0 && joined.length === 0) return;
    for (const deviceId of left) {
      group.members.delete(deviceId);
      this.#unlink(deviceId, groupId);
    }
    for (const deviceId of joined) {
      group.members.add(deviceId);
      const groups = this.#byDevice.get(deviceId);
      if (groups === undefined) this.#byDevice.set(deviceId, new Set([groupId]));
      else groups.add(groupId);
    }
    group.changedAt = now;
    this.#onChange({ groupId, joined, left });
  }

  #unlink(deviceId: string, groupId: string): void {
    const groups = this.#byDevice.get(deviceId);
    groups?.delete(groupId);
    if (groups?.size === 0) this.#byDevice.delete(deviceId);
  }
}
