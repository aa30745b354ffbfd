/**
 * The sessions of a process: one for each credential that was accepted, found again by every connection that presents
 * it. Each is asked about again well before what was said has grown too old, a few at a time so that those who come
 * are not kept waiting; what could not be asked by then ends. So a decision never stands longer than `validityMs`,
 * whatever becomes of the authority, and a crowd that connects again costs no more than the credentials it has.
 */
import { LRUCache } from 'lru-cache';
import type { AuthProvider, Credential, Refused, Unavailable } from './provider.ts';
import { Session } from './session.ts';

export interface SessionEvents {
  revalidated(result: 'confirmed' | 'ended' | 'unavailable' | 'lapsed'): void;
  sessions(count: number): void;
}

export interface SessionsOptions {
  readonly provider: AuthProvider;
  readonly validityMs: number;
  /** Sessions asked about at once when they are due; the rest of what the authority takes is for those who wait. */
  readonly revalidationsAtOnce: number;
  readonly events: SessionEvents;
}

export type Opened = { readonly outcome: 'accepted'; readonly session: Session } | Refused | Unavailable;

const SWEEP_MS = 250;
/** The part of its time after which a session is asked about: an authority that is away may come back in the rest. */
const DUE = 0.7;
/** After an attempt that brought no answer. */
const RETRY_MS = 1_000;
const REFUSALS_LIMIT = 10_000;
/** So long a credential that was refused is refused without asking. */
const REFUSAL_MS = 3_000;
/** Sessions that nobody uses at the moment. */
const IDLE_LIMIT = 20_000;

export class Sessions {
  readonly #options: SessionsOptions;
  readonly #sessions = new Map<string, Session>();
  readonly #opening = new Map<string, Promise<Opened>>();
  /** With the time of each; monotonic, milliseconds. */
  readonly #refusals = new LRUCache<string, { refusal: Refused; at: number }>({ max: REFUSALS_LIMIT });
  /** When each session is due; monotonic, milliseconds. */
  readonly #dueAt = new Map<Session, number>();
  /** Due at the last sweep and not asked about since, the longest due last. */
  #due: Session[] = [];
  readonly #asking = new Set<Session>();
  /** Changes that the authority has reported. */
  #changes = 0;
  #sweep: NodeJS.Timeout | undefined;

  constructor(options: SessionsOptions) {
    this.#options = options;
  }

  start(): void {
    this.#sweep = setInterval(() => { this.#tend(); }, SWEEP_MS);
    this.#options.provider.watch((change) => {
      this.#changes += 1;
      this.#refusals.clear();
      for (const session of this.#sessions.values()) {
        if (change === 'anything' || change.userIds.includes(session.identity.userId)) this.#doubt(session);
      }
    });
  }

  stop(): void {
    clearInterval(this.#sweep);
    this.#sweep = undefined;
    this.#options.provider.stop();
  }

  /** The session of a credential. Those who ask at the same time with the same one share the question. */
  async open(credential: Credential): Promise<Opened> {
    const key = this.#options.provider.keyOf(credential);
    const known = this.#sessions.get(key);
    const stands = known !== undefined && known.ageMs(performance.now()) < this.#options.validityMs && !isOver(known);
    if (stands) return { outcome: 'accepted', session: known };
    const refused = this.#refusals.get(key);
    if (refused !== undefined && performance.now() - refused.at < REFUSAL_MS) return refused.refusal;
    let opening = this.#opening.get(key);
    if (opening === undefined) {
      opening = this.#open(key, credential).finally(() => this.#opening.delete(key));
      this.#opening.set(key, opening);
    }
    return opening;
  }

  async #open(key: string, credential: Credential): Promise<Opened> {
    const { provider, validityMs } = this.#options;
    const changes = this.#changes;
    const askedAt = performance.now();
    const authentication = await provider.authenticate(credential, null);
    if (authentication.outcome === 'refused') this.#refuse(key, authentication);
    if (authentication.outcome !== 'accepted') return authentication;
    const { identity } = authentication;
    const session = new Session({ key, credential, identity, provider, validityMs, askedAt });
    this.#remember(session);
    // What was said may be older than the change.
    if (changes !== this.#changes) this.#dueAt.set(session, 0);
    return { outcome: 'accepted', session };
  }

  #refuse(key: string, refusal: Refused): void {
    this.#refusals.set(key, { refusal, at: performance.now() });
  }

  #remember(session: Session): void {
    const older = this.#sessions.get(session.key);
    if (older !== undefined) this.#dueAt.delete(older);
    this.#sessions.set(session.key, session);
    // Sessions of one moment are spread, so that they do not come due in one moment.
    this.#dueAt.set(session, performance.now() + this.#options.validityMs * DUE * (0.8 + 0.2 * Math.random()));
    this.#options.events.sessions(this.#sessions.size);
  }

  #forget(session: Session): void {
    this.#dueAt.delete(session);
    if (this.#sessions.get(session.key) === session) this.#sessions.delete(session.key);
    this.#options.events.sessions(this.#sessions.size);
  }

  #doubt(session: Session): void {
    session.doubt();
    if (session.holders.size === 0) this.#forget(session);
    else this.#dueAt.set(session, 0);
  }

  /**
   * Ends what is over, forgets what nobody uses, and asks about what is due. It goes through all sessions, so it has
   * its interval; in between what it found to be due is taken from there.
   */
  #tend(): void {
    const now = performance.now();
    const due: Session[] = [];
    const excess = this.#sessions.size - IDLE_LIMIT;
    let dropped = 0;
    for (const session of this.#dueAt.keys()) {
      if (isOver(session)) this.#end(session);
      else if (session.ageMs(now) >= this.#options.validityMs) this.#lapse(session);
      else if (session.holders.size === 0 && dropped < excess) {
        this.#forget(session);
        dropped += 1;
      } else if (this.#isDue(session, now)) due.push(session);
    }
    const at = (session: Session): number => this.#dueAt.get(session) ?? Infinity;
    this.#due = due.sort((a, b) => at(b) - at(a));
    this.#askNext(now);
  }

  #isDue(session: Session, now: number): boolean {
    const isOpen = session.holders.size > 0 && !this.#asking.has(session) && !isOver(session);
    return isOpen && (this.#dueAt.get(session) ?? Infinity) <= now;
  }

  /** The longest due first, as many at once as may. */
  #askNext(now: number): void {
    while (this.#asking.size < this.#options.revalidationsAtOnce) {
      const session = this.#due.pop();
      if (session === undefined) return;
      if (this.#isDue(session, now)) void this.#revalidate(session);
    }
  }

  #end(session: Session): void {
    session.close({ outcome: 'refused', code: 'credential_expired', message: 'the credential has expired' });
    this.#forget(session);
  }

  #lapse(session: Session): void {
    this.#forget(session);
    if (session.holders.size === 0) return;
    this.#options.events.revalidated('lapsed');
    session.lapse();
  }

  async #revalidate(session: Session): Promise<void> {
    this.#asking.add(session);
    const confirmed = await session.revalidate();
    this.#asking.delete(session);
    if (session.end !== null) {
      this.#refuse(session.key, session.end);
      this.#forget(session);
      this.#options.events.revalidated('ended');
    } else if (this.#sessions.get(session.key) === session) {
      this.#dueAt.set(session, performance.now() + (confirmed ? this.#options.validityMs * DUE : RETRY_MS));
      this.#options.events.revalidated(confirmed ? 'confirmed' : 'unavailable');
    }
    if (this.#sweep !== undefined) this.#askNext(performance.now());
  }
}

/** It was ended, or has come to its own end. */
function isOver({ end, identity: { expiresAt } }: Session): boolean {
  return end !== null || (expiresAt !== null && expiresAt <= Date.now());
}
