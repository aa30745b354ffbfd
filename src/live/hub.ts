/**
 * The parts of a live server that all connections share, wired to each other: what is known, who follows what, and how
 * news gets from the one to the other.
 */
import type { Pool } from 'pg';
import type { Sessions } from '../auth/sessions.ts';
import type { Settings } from '../config/settings.ts';
import type { Cursor } from './cursor.ts';
import { DeviceGroups } from './device-groups.ts';
import type { GroupChange } from './device-groups.ts';
import { DeviceStates } from './device-states.ts';
import type { LiveEvents } from './events.ts';
import { Feed } from './feed.ts';
import { Message } from './frames.ts';
import { GroupRefresher } from './group-refresher.ts';
import { KnownDevices } from './known-devices.ts';
import type { LivePosition } from './position-json.ts';
import { Subscriptions } from './subscriptions.ts';
import { Tick } from './tick.ts';

export interface Hub {
  readonly settings: Settings;
  readonly sessions: Sessions;
  readonly events: LiveEvents;
  readonly known: KnownDevices;
  readonly states: DeviceStates;
  readonly groups: DeviceGroups;
  readonly refresher: GroupRefresher;
  readonly subscriptions: Subscriptions;
  readonly feed: Feed;
}

export interface HubOptions {
  readonly settings: Settings;
  readonly sessions: Sessions;
  readonly pool: Pool;
  readonly events: LiveEvents;
  /** Where the feed begins. */
  readonly start: Cursor;
  /** Behind which everything is known once the warm-up is taken in. */
  readonly coveredFrom: Cursor;
  readonly signal: AbortSignal;
}

export function createHub({ settings, sessions, pool, events, start, coveredFrom, signal }: HubOptions): Hub {
  const { LIVE_DEVICE_EVENT_REFRESH_MS: refreshMs, LIVE_SNAPSHOT_TIMEOUT_MS: timeoutMs } = settings;
  const known = new KnownDevices(settings.DEVICE_STATE_CAPACITY, coveredFrom);
  const groups: DeviceGroups = new DeviceGroups((change) => { announceMembers(hub, change); });
  const subscriptions = new Subscriptions((deviceId) => groups.groupsOf(deviceId));
  const tick = new Tick({ cursor: () => feed.cursor, onFanOut: events.fanOut });
  const feed: Feed = new Feed({ known, subscriptions, tick, events }, start);
  const states = new DeviceStates({
    pool,
    known,
    timeoutMs,
    onState: (state) => { feed.takeState(state); },
    onRead: () => { events.statesRead(); },
    onFailed: (error) => { events.statesFailed(error); },
  });
  const followed = (): Iterable<string> => subscriptions.groupIds();
  const refresher = new GroupRefresher({ pool, groups, followed, refreshMs, timeoutMs, events, signal });
  const hub = { settings, sessions, events, known, states, groups, refresher, subscriptions, feed };
  return hub;
}

/** Entries may have been missed: what the database knows of the followed devices is news where it is newer. */
export function readAgain({ known, states, feed, subscriptions, groups }: Hub): void {
  known.doubtAll(feed.position);
  states.doubtAll();
  const members = [...subscriptions.groupIds()].flatMap((groupId) => [...groups.membersOf(groupId)]);
  const followed = subscriptions.followsAll ? 'all' : [...subscriptions.deviceIds(), ...members];
  void states.ensure(followed).then(() => { feed.flush(); });
}

/** Tells those who follow a group of the devices that have left it, and where those are that have joined it. */
function announceMembers(hub: Hub, { groupId, joined, left }: GroupChange): void {
  const { subscriptions, states, feed, events } = hub;
  // What was read before the change goes to those who followed then.
  feed.flush();
  for (const audience of subscriptions.audiencesOfGroup(groupId)) {
    const topic = JSON.stringify(audience.topic.key);
    for (const deviceId of left) {
      const message = new Message(`{"type":"left","topic":${topic},"deviceId":${JSON.stringify(deviceId)}}`);
      for (const { viewer } of audience.subscriptions) {
        viewer.outbox.retract(audience.topic.key, deviceId);
        viewer.outbox.push(message.pieces(viewer.outbox.transport));
        viewer.outbox.flush();
      }
      events.sent('left', audience.subscriptions.size);
    }
  }
  if (joined.length === 0 || subscriptions.audiencesOfGroup(groupId).length === 0) return;
  const known = new Map(joined.map((deviceId) => [deviceId, hub.known.get(deviceId)?.newest ?? null]));
  void states.ensure(joined).then(() => { showJoined(hub, groupId, known); });
}

/**
 * Where the devices are that have joined, unless they have left again meanwhile. What the database had to say that is
 * newer was news, and is on its way already.
 */
function showJoined(hub: Hub, groupId: string, known: ReadonlyMap<string, LivePosition | null>): void {
  const { subscriptions, groups, feed } = hub;
  const members = groups.membersOf(groupId);
  feed.flush();
  for (const audience of subscriptions.audiencesOfGroup(groupId)) {
    for (const [deviceId, newest] of known) {
      const isUnchanged = newest !== null && hub.known.get(deviceId)?.newest === newest;
      if (isUnchanged && members.has(deviceId)) feed.repeat(audience, newest);
    }
  }
  feed.flush();
}
