/**
 * Who follows what: from a device to the subscriptions that get its positions. A group's devices are what
 * `device-groups.ts` says at that moment.
 */
import type { Topic } from '../messages/topics.ts';
import type { Outbox } from './outbox.ts';

/** A topic that a viewer follows. */
export interface Subscription {
  readonly topic: Topic;
  readonly viewer: { readonly outbox: Outbox };
}

/** All subscriptions with one spelling of a topic. */
export interface Audience {
  readonly topic: Topic;
  readonly subscriptions: Set<Subscription>;
}

/** Audiences of one resource by the spelling of the topic: `group:` and `event:` are two. */
type Audiences = Map<string, Audience>;

export class Subscriptions {
  readonly #byResource = {
    device: new Map<string, Audiences>(), group: new Map<string, Audiences>(), all: new Map<string, Audiences>(),
  };
  readonly #groupsOf: (deviceId: string) => Iterable<string>;

  /** @param groupsOf the groups of a device at this moment, those that nobody follows need not be among them */
  constructor(groupsOf: (deviceId: string) => Iterable<string>) {
    this.#groupsOf = groupsOf;
  }

  add(subscription: Subscription): void {
    const { topic } = subscription;
    const [byId, id] = this.#place(topic);
    const audiences: Audiences = byId.get(id) ?? new Map<string, Audience>();
    byId.set(id, audiences);
    const audience = audiences.get(topic.key);
    if (audience === undefined) audiences.set(topic.key, { topic, subscriptions: new Set([subscription]) });
    else audience.subscriptions.add(subscription);
  }

  remove(subscription: Subscription): void {
    const { topic } = subscription;
    const [byId, id] = this.#place(topic);
    const audiences = byId.get(id);
    const audience = audiences?.get(topic.key);
    if (audiences === undefined || audience === undefined) return;
    audience.subscriptions.delete(subscription);
    if (audience.subscriptions.size === 0) audiences.delete(topic.key);
    if (audiences.size === 0) byId.delete(id);
  }

  /** Everybody who gets the positions of a device. */
  audiencesOf(deviceId: string): Audience[] {
    const found: Audience[] = [];
    const { device, group, all } = this.#byResource;
    for (const audience of device.get(deviceId)?.values() ?? []) found.push(audience);
    for (const groupId of this.#groupsOf(deviceId)) found.push(...(group.get(groupId)?.values() ?? []));
    for (const audience of all.get('')?.values() ?? []) found.push(audience);
    return found;
  }

  /** Somebody follows everything. */
  get followsAll(): boolean {
    return this.#byResource.all.size > 0;
  }

  /** The devices that somebody follows by themselves. */
  deviceIds(): Iterable<string> {
    return this.#byResource.device.keys();
  }

  /** The groups that somebody follows. */
  groupIds(): Iterable<string> {
    return this.#byResource.group.keys();
  }

  audiencesOfGroup(groupId: string): Audience[] {
    return [...(this.#byResource.group.get(groupId)?.values() ?? [])];
  }

  #place({ resource }: Topic): [Map<string, Audiences>, string] {
    return [this.#byResource[resource.kind], resource.kind === 'all' ? '' : resource.id];
  }
}
