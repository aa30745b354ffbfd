/**
 * Keeps the members of the followed groups up to date: reads them when a group is first followed, when the database
 * says that groups have changed, when a membership begins or ends by the clock, and at regular intervals in any case.
 * While the database is away the last known members stand, and groups that are not known yet are read when it is back.
 */
import type { Pool } from 'pg';
import { followAnnouncements } from '../../db/announcements.ts';
import { pause, until } from '../../shared/wait.ts';
import { GROUP_CHANGES, readMembers } from './database.ts';
import type { DeviceGroups } from './device-groups.ts';
import type { LiveEvents } from '../events.ts';

export interface GroupRefresherOptions {
  readonly pool: Pool;
  readonly groups: DeviceGroups;
  /** The groups that somebody follows. */
  readonly followed: () => Iterable<string>;
  readonly refreshMs: number;
  /** Longest wait of a subscription for the database, milliseconds. */
  readonly timeoutMs: number;
  readonly events: LiveEvents;
  readonly signal: AbortSignal;
}

/** setTimeout takes no more. */
const LONGEST_WAIT_MS = 2 ** 31 - 1;

export class GroupRefresher {
  readonly #options: GroupRefresherOptions;
  /** Ends the wait for the next refresh. */
  #wake: () => void = () => undefined;
  /** A change was announced that was not read yet. */
  #isAnnounced = false;
  #reading: Promise<boolean> | null = null;
  /** Groups that nobody followed at the last refresh: those who connect again find them known. */
  #unfollowed = new Set<string>();
  #readAt: number | null = null;
  /** Since when somebody follows a group that was never read; monotonic, milliseconds. */
  #unreadSince: number | null = null;

  constructor(options: GroupRefresherOptions) {
    this.#options = options;
  }

  /** Until `signal` aborts. */
  async run(): Promise<void> {
    const { pool, signal } = this.#options;
    const onAnnounced = (): void => { this.#announced(); };
    await Promise.all([
      this.#refreshing(),
      // Without announcements changes are found at the next refresh.
      followAnnouncements({ pool, channels: [GROUP_CHANGES], onAnnounced, signal }),
    ]);
  }

  /** Time since the members were read, or since they ought to have been; 0 while nobody follows a group. */
  get ageMs(): number {
    const since = this.#readAt ?? this.#unreadSince;
    return since === null ? 0 : performance.now() - since;
  }

  /** Reads the members of a group that is not known yet. @returns false: the database does not answer in time */
  async load(groupId: string): Promise<boolean> {
    if (this.#options.groups.has(groupId)) return true;
    const overdue = new AbortController();
    const timeout = pause(this.#options.timeoutMs, overdue.signal).then(() => false);
    const isLoaded = await Promise.race([this.#load(groupId), timeout]);
    overdue.abort();
    return isLoaded;
  }

  async #load(groupId: string): Promise<boolean> {
    // The one under way may have been asked without this group.
    if (this.#reading !== null) await this.#reading;
    if (this.#options.groups.has(groupId)) return true;
    const isRead = await this.#read(groupId);
    // One of its memberships may begin or end before anything else happens.
    this.#wake();
    return isRead;
  }

  async #refreshing(): Promise<void> {
    const { signal, groups, refreshMs } = this.#options;
    while (!signal.aborted) {
      const now = Date.now();
      await this.#wait(Math.max(1, Math.min(refreshMs, groups.nextBoundary(now) - now, LONGEST_WAIT_MS)));
      groups.advance(Date.now());
      if (!this.#isAnnounced && this.#readAt !== null && performance.now() - this.#readAt < refreshMs) continue;
      this.#isAnnounced = false;
      this.#forgetUnfollowed();
      await this.#read();
    }
  }

  /** Waits so long, or until something has happened; not at all, where a change was announced meanwhile. */
  async #wait(waitMs: number): Promise<void> {
    await until(this.#options.signal, (done) => {
      const timer = setTimeout(done, waitMs);
      this.#wake = done;
      if (this.#isAnnounced) done();
      return () => { clearTimeout(timer); };
    });
  }

  #announced(): void {
    this.#isAnnounced = true;
    this.#wake();
  }

  #read(extra?: string): Promise<boolean> {
    const reading = this.#readAll(extra).finally(() => {
      if (this.#reading === reading) this.#reading = null;
    });
    this.#reading = reading;
    return reading;
  }

  async #readAll(extra: string | undefined): Promise<boolean> {
    const { pool, groups, followed, events } = this.#options;
    const asked = [...new Set([...groups.groupIds, ...followed(), ...(extra === undefined ? [] : [extra])])];
    if (asked.length === 0) {
      this.#readAt = null;
      this.#unreadSince = null;
      events.groupsRead(0);
      return true;
    }
    this.#unreadSince ??= performance.now();
    try {
      const members = await readMembers(pool, asked);
      groups.update(asked, members, Date.now());
      this.#readAt = performance.now();
      events.groupsRead(groups.size);
      return true;
    } catch (error) {
      events.groupsFailed(error);
      return false;
    }
  }

  #forgetUnfollowed(): void {
    const { groups, followed } = this.#options;
    const wanted = new Set(followed());
    const idle = new Set(groups.groupIds.filter((groupId) => !wanted.has(groupId)));
    for (const groupId of idle) if (this.#unfollowed.has(groupId)) groups.forget(groupId);
    this.#unfollowed = idle;
  }
}
