/**
 * One viewer, whatever carries its messages: who it is, what it follows, and what it is told. It follows nothing that
 * its user may not read: a topic is followed after the authority has said yes, and no longer than that stands.
 */
import type { Credential, Refused, Resource } from '../../auth/provider.ts';
import { resourceKey } from '../../auth/provider.ts';
import type { Holder, Session } from '../../auth/session.ts';
import type { Opened } from '../../auth/sessions.ts';
import type { Transport } from '../messages/frames.ts';
import { Message } from '../messages/frames.ts';
import type { Hub } from '../hub.ts';
import type { Sink } from '../feed/outbox.ts';
import { Outbox } from '../feed/outbox.ts';
import type { ErrorCode, PlainMessage, ServerMessageType, UnsubscribedReason } from '../messages/protocol.ts';
import type { Subscription } from '../feed/subscriptions.ts';
import type { Topic } from '../messages/topics.ts';

/** What carries the messages of a viewer: a connection, which is told what becomes of it. */
export interface Carrier extends Sink {
  /** Its credential is no longer good; it follows nothing any more. */
  ended(refusal: Refused): void;
  /** It has lost topics without asking for it. */
  lost(): void;
}

/** What an error is about. */
export interface ErrorContext {
  readonly topic?: string | undefined;
  readonly ref?: string | undefined;
}

/** A topic that waits for its authorisation and its snapshot: an object for every request, since each is answered. */
export interface Wanted {
  readonly topic: Topic;
  readonly ref: string | undefined;
}

/** Requests for one topic that may wait at once: each is answered with a snapshot of its own. */
const REQUESTS_PER_TOPIC = 8;

export class Viewer implements Holder {
  readonly outbox: Outbox;
  readonly hub: Hub;
  readonly #carrier: Carrier;
  readonly #subscriptions = new Map<string, Subscription>();
  readonly #wanted = new Map<string, Set<Wanted>>();
  #credential: Credential | null = null;
  #session: Session | null = null;
  #isClosed = false;

  constructor(hub: Hub, transport: Transport, carrier: Carrier) {
    this.hub = hub;
    this.#carrier = carrier;
    this.outbox = new Outbox(transport, carrier, hub.outboxes);
    hub.events.connected(transport);
  }

  get isClosed(): boolean {
    return this.#isClosed;
  }

  /** null: nobody has signed in. */
  get session(): Session | null {
    return this.#session;
  }

  /** Topics that it follows or waits for. */
  get topicCount(): number {
    return this.#subscriptions.size + this.#wanted.size;
  }

  /**
   * Signs in, or goes on with another credential of the same user.
   * @returns `other_user` where it is not the same, and then nothing has changed
   */
  async signIn(credential: Credential): Promise<Opened | 'other_user'> {
    const opened = await this.hub.sessions.open(credential);
    if (this.#isClosed || opened.outcome !== 'accepted') return opened;
    const { session } = opened;
    if (this.#session !== null && this.#session.identity.userId !== session.identity.userId) return 'other_user';
    this.#credential = credential;
    await this.#adopt(session);
    return opened;
  }

  /** The session of the credential, opened anew where the last one has lapsed; null: nobody has signed in. */
  async currentSession(): Promise<Opened | null> {
    if (this.#credential === null) return null;
    const opened = await this.hub.sessions.open(this.#credential);
    if (opened.outcome === 'accepted' && !this.#isClosed) await this.#adopt(opened.session);
    return opened;
  }

  async #adopt(session: Session): Promise<void> {
    if (session === this.#session) return;
    this.#session?.holders.delete(this);
    this.#session = session;
    session.holders.add(this);
    const held = [...this.resources()];
    if (held.length === 0) return;
    const decisions = await session.authorise(held);
    this.revoked(held.filter((resource) => decisions.get(resourceKey(resource)) !== 'allowed'));
  }

  // What a session tells those who use it.

  *resources(): Iterable<Resource> {
    for (const { topic } of this.#subscriptions.values()) yield topic.resource;
    for (const waiting of this.#wanted.values()) for (const { topic } of waiting) yield topic.resource;
  }

  revoked(resources: readonly Resource[]): void {
    const keys = new Set(resources.map(resourceKey));
    const waiting = [...this.#wanted.values()].flatMap((wanted) => [...wanted]);
    const topics = [...this.#subscriptions.values(), ...waiting].map(({ topic }) => topic);
    const lost = topics.filter(({ resource }) => keys.has(resourceKey(resource)));
    for (const key of new Set(lost.map((topic) => topic.key))) this.#lose(key, 'revoked');
    this.outbox.flush();
    this.#carrier.lost();
  }

  ended(refusal: Refused): void {
    this.#unfollowAll(refusal.code === 'credential_expired' ? 'expired' : 'revoked');
    this.#leaveSession();
    this.#credential = null;
    this.#carrier.ended(refusal);
  }

  lapsed(): void {
    this.#unfollowAll('expired');
    this.#leaveSession();
    this.fail('authorisation_unavailable', 'nobody can say any more what may be read; subscribe again');
    this.outbox.flush();
    this.#carrier.lost();
  }

  // Topics.

  /** Whether it follows the topic, or waits for it. */
  has(key: string): boolean {
    return this.#subscriptions.has(key) || this.#wanted.has(key);
  }

  /** The topic waits from now on. @returns null where as many requests for it wait as may */
  want(topic: Topic, ref: string | undefined): Wanted | null {
    const waiting = this.#wanted.get(topic.key) ?? new Set<Wanted>();
    if (waiting.size >= REQUESTS_PER_TOPIC) return null;
    const wanted = { topic, ref };
    this.#wanted.set(topic.key, waiting.add(wanted));
    return wanted;
  }

  /** Whether this request still stands: not answered yet, and the connection has not ended. */
  stands(wanted: Wanted): boolean {
    return !this.#isClosed && this.#wanted.get(wanted.topic.key)?.has(wanted) === true;
  }

  /** The request has come to nothing. */
  giveUp(wanted: Wanted): void {
    const waiting = this.#wanted.get(wanted.topic.key);
    waiting?.delete(wanted);
    if (waiting?.size === 0) this.#wanted.delete(wanted.topic.key);
  }

  /** From now on it gets what comes on the topic. */
  follow(wanted: Wanted): void {
    this.giveUp(wanted);
    const { topic } = wanted;
    if (this.#subscriptions.has(topic.key)) return;
    const subscription = { topic, viewer: this };
    this.#subscriptions.set(topic.key, subscription);
    this.hub.subscriptions.add(subscription);
    this.hub.events.followed(topic.resource.kind);
  }

  /** As asked for: from now on it gets nothing more on the topic, followed or waited for; not yet flushed. */
  unfollow(key: string, ref: string | undefined): void {
    this.#end(key, 'requested');
    this.#sayUnsubscribed(key, 'requested', ref);
  }

  // Messages; they go with the next flush.

  tell(type: ServerMessageType, message: Message): void {
    this.hub.events.sent(type);
    this.outbox.push(message.pieces(this.outbox.encoding));
  }

  say(message: PlainMessage): void {
    this.tell(message.type, new Message(JSON.stringify(message)));
  }

  fail(code: ErrorCode, message: string, { topic, ref }: ErrorContext = {}): void {
    this.hub.events.failed(code);
    if (topic !== undefined) this.outbox.forbidResume();
    const about = { ...(topic === undefined ? {} : { topic }), ...(ref === undefined ? {} : { ref }) };
    this.say({ type: 'error', code, message, ...about });
  }

  /** The connection is about to end: what was said is still sent, and nothing more. */
  finish(): void {
    if (this.#isClosed) return;
    if (this.outbox.isConflating) this.hub.events.pressure(false);
    this.outbox.finish();
    this.close();
  }

  /** The connection has ended: nothing more is sent, and nothing of it is left. */
  close(): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    if (this.outbox.isConflating) this.hub.events.pressure(false);
    this.outbox.close();
    this.#wanted.clear();
    for (const subscription of [...this.#subscriptions.values()]) this.#remove(subscription, null);
    this.#leaveSession();
  }

  #unfollowAll(reason: UnsubscribedReason): void {
    for (const key of new Set([...this.#subscriptions.keys(), ...this.#wanted.keys()])) this.#lose(key, reason);
    this.outbox.flush();
  }

  /** The topic ends without having been asked for: who follows it is told, and each request that waits is answered. */
  #lose(key: string, reason: UnsubscribedReason): void {
    const isFollowed = this.#subscriptions.has(key);
    this.#end(key, reason);
    if (isFollowed) this.#sayUnsubscribed(key, reason, undefined);
  }

  /** Nothing more comes on the topic; the requests for it that wait are answered with that. */
  #end(key: string, reason: UnsubscribedReason): void {
    const waiting = this.#wanted.get(key) ?? [];
    this.#wanted.delete(key);
    const subscription = this.#subscriptions.get(key);
    if (subscription !== undefined) this.#remove(subscription, reason);
    for (const { ref } of waiting) this.#sayUnsubscribed(key, reason, ref);
  }

  #sayUnsubscribed(topic: string, reason: UnsubscribedReason, ref: string | undefined): void {
    this.outbox.forbidResume();
    this.say({ type: 'unsubscribed', topic, reason, ...(ref === undefined ? {} : { ref }) });
  }

  #remove(subscription: Subscription, reason: UnsubscribedReason | null): void {
    const { key, resource } = subscription.topic;
    this.#subscriptions.delete(key);
    this.hub.subscriptions.remove(subscription);
    this.outbox.retract(key);
    this.hub.events.unfollowed(resource.kind, reason);
  }

  #leaveSession(): void {
    this.#session?.holders.delete(this);
    this.#session = null;
  }
}
