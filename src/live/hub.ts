/**
 * The parts of a live server that all connections share, wired to each other: what is known, who follows what, and how
 * news gets from the one to the other.
 */
import type { Pool } from 'pg';
import type { Sessions } from '../auth/sessions.ts';
import type { Settings } from '../config/settings.ts';
import type { Cursor } from './messages/cursor.ts';
import { DeviceGroups } from './devices/device-groups.ts';
import type { GroupChange } from './devices/device-groups.ts';
import { DeviceStates } from './devices/device-states.ts';
import type { LiveEvents } from './events.ts';
import { Feed } from './feed/feed.ts';
import type { OutboxOptions } from './feed/outbox.ts';
import { Message } from './messages/frames.ts';
import { GroupRefresher } from './devices/group-refresher.ts';
import { KnownDevices } from './devices/known-devices.ts';
import type { LivePosition } from './messages/position-json.ts';
import { Subscriptions } from './feed/subscriptions.ts';
import { Tick } from './feed/tick.ts';

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
  readonly outboxes: OutboxOptions;
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
  const outboxes = {
    thresholdBytes: settings.LIVE_WS_BACKPRESSURE_THRESHOLD_BYTES,
    cursor: () => feed.cursor,
    onConflated: events.conflated,
    onPressure: events.pressure,
  };
  const hub = { settings, sessions, events, known, states, groups, refresher, subscriptions, feed, outboxes };
  return hub;
}

/** Entries may have been missed: what the database knows of the followed devices is shown where it is newer. */
export function readAgain(hub: Hub): void {
  const { known, states, feed, subscriptions, groups } = hub;
  known.doubtAll(feed.position);
  states.doubtAll();
  const members = [...subscriptions.groupIds()].flatMap((groupId) => [...groups.membersOf(groupId)]);
  const devices = subscriptions.followsAll ? known.deviceIds() : [...subscriptions.deviceIds(), ...members];
  const before = newestOf(hub, devices);
  void states.ensure(subscriptions.followsAll ? 'all' : devices).then(() => {
    for (const deviceId of subscriptions.followsAll ? known.deviceIds() : devices) {
      const device = known.get(deviceId);
      const isNew = device?.newest !== before.get(deviceId) && device?.quiet === true;
      if (isNew && device.newest !== null) feed.repeat(subscriptions.audiencesOf(deviceId), device.newest);
    }
    feed.flush();
  });
}

function newestOf({ known }: Hub, deviceIds: readonly string[]): ReadonlyMap<string, LivePosition | null> {
  return new Map(deviceIds.map((deviceId) => [deviceId, known.get(deviceId)?.newest ?? null]));
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
        viewer.outbox.push(message.pieces(viewer.outbox.encoding));
        viewer.outbox.flush();
      }
      events.sent('left', audience.subscriptions.size);
    }
  }
  if (joined.length === 0 || subscriptions.audiencesOfGroup(groupId).length === 0) return;
  const before = newestOf(hub, joined);
  void states.ensure(joined).then(() => { showJoined(hub, groupId, before); });
}

/** Where the devices are that have joined, unless they have left again or that was news meanwhile. */
function showJoined(hub: Hub, groupId: string, before: ReadonlyMap<string, LivePosition | null>): void {
  const { known, subscriptions, groups, feed } = hub;
  const members = groups.membersOf(groupId);
  feed.flush();
  const audiences = subscriptions.audiencesOfGroup(groupId);
  for (const [deviceId, last] of before) {
    const device = known.get(deviceId);
    if (device === undefined || device.newest === null || !members.has(deviceId)) continue;
    if (device.newest === last || device.quiet) feed.repeat(audiences, device.newest);
  }
  feed.flush();
}
