/**
 * How a viewer comes to follow topics: parsed, counted, authorised, and then, in one turn of the event loop, given the
 * snapshot and put among those who follow. Before that turn nothing of the topic is sent, after it everything that is
 * newer than the snapshot: no gap and no repetition.
 */
import type { Refused, Unavailable } from '../../auth/provider.ts';
import { resourceKey } from '../../auth/provider.ts';
import type { Decision } from '../../auth/session.ts';
import type { Cursor } from '../messages/cursor.ts';
import { isAfter, parseCursor } from '../messages/cursor.ts';
import { Message } from '../messages/frames.ts';
import type { Hub } from '../hub.ts';
import { snapshotJson } from '../messages/position-json.ts';
import type { Topic } from '../messages/topics.ts';
import { TOPIC_EXPECTED, parseTopic } from '../messages/topics.ts';
import type { Viewer, Wanted } from './viewer.ts';

export interface FollowRequest {
  readonly topics: readonly string[];
  readonly ref?: string | undefined;
  /** Where an earlier connection was. */
  readonly resume?: string | undefined;
}

/** Follows what of the topics may be followed; whatever cannot is answered with an error of its own. */
export async function follow(viewer: Viewer, request: FollowRequest): Promise<void> {
  const wanted = wantedTopics(viewer, request);
  if (wanted.length === 0) return;
  const decisions = await authorise(viewer, wanted);
  const allowed = wanted.filter((one) => keepAllowed(viewer, one, decisions, request));
  const startedAt = performance.now();
  const prepared = await prepare(viewer.hub, allowed.map(({ topic }) => topic), request.resume);
  // What is on its way goes to those who followed before; from here to the end nothing else runs.
  viewer.hub.feed.flush();
  const beginning = { ref: request.ref, startedAt, ...prepared };
  const begun = allowed.flatMap((one) => begin(viewer, one, beginning) ?? []);
  for (const [index, one] of begun.entries()) announce(viewer, one, beginning, index === begun.length - 1);
  if (!viewer.isClosed) viewer.outbox.flush();
}

function wantedTopics(viewer: Viewer, { topics, ref }: FollowRequest): Wanted[] {
  const { LIVE_WS_MAX_SUBSCRIPTIONS: limit } = viewer.hub.settings;
  const wanted: Wanted[] = [];
  for (const key of new Set(topics)) {
    const topic = parseTopic(key);
    if (topic === undefined) viewer.fail('invalid_topic', `topic: expected ${TOPIC_EXPECTED}`, { topic: key, ref });
    else if (viewer.topicCount >= limit && !viewer.has(key)) viewer.fail('too_many_subscriptions', `at most ${limit} topics for a connection`, { topic: key, ref });
    else {
      const one = viewer.want(topic, ref);
      if (one === null) viewer.fail('rate_limited', 'too many requests for this topic wait for their answer', { topic: key, ref });
      else wanted.push(one);
    }
  }
  viewer.outbox.flush();
  return wanted;
}

/** Ends what of the topics is followed or waited for. A topic that is neither ends as well: it is not followed now. */
export function unfollow(viewer: Viewer, { topics, ref }: Omit<FollowRequest, 'resume'>): void {
  for (const key of new Set(topics)) {
    if (parseTopic(key) === undefined) viewer.fail('invalid_topic', `topic: expected ${TOPIC_EXPECTED}`, { topic: key, ref });
    else viewer.unfollow(key, ref);
  }
  viewer.outbox.flush();
}

type Decisions = ReadonlyMap<string, Decision> | Refused | Unavailable;

async function authorise(viewer: Viewer, wanted: readonly Wanted[]): Promise<Decisions> {
  const opened = await viewer.currentSession();
  if (opened?.outcome === 'accepted') return opened.session.authorise(wanted.map(({ topic }) => topic.resource));
  return opened ?? new Map<string, Decision>();
}

/** Answers for a topic that may not be followed. @returns whether it may */
function keepAllowed(viewer: Viewer, wanted: Wanted, decisions: Decisions, { ref }: FollowRequest): boolean {
  if (!viewer.stands(wanted)) return false;
  const { topic } = wanted;
  const decision = 'outcome' in decisions ? decisions.outcome : decisions.get(resourceKey(topic.resource));
  if (decision === 'allowed') return true;
  viewer.giveUp(wanted);
  const about = { topic: topic.key, ref };
  if ('outcome' in decisions && decisions.outcome === 'refused') viewer.fail('auth_failed', decisions.message, about);
  else if (decision === 'unavailable') viewer.fail('authorisation_unavailable', 'nobody can say at the moment whether you may read this; try again', about);
  else refuse(viewer, topic, ref);
  viewer.outbox.flush();
  return false;
}

/** The answer for what may not be read, and for what does not exist. */
function refuse(viewer: Viewer, topic: Topic, ref: string | undefined): void {
  viewer.fail('forbidden', 'there is no such device or group, or you may not read it', { topic: topic.key, ref });
}

interface Prepared {
  /** What was asked of the database has come. */
  readonly isComplete: boolean;
  /** Where the topics are resumed from that can be; undefined: none can. */
  readonly cursor: Cursor | undefined;
}

/** Reads what is not known yet of the topics' devices, with one query for all; a topic that resumes needs none. */
async function prepare(hub: Hub, topics: readonly Topic[], resume: string | undefined): Promise<Prepared> {
  const parsed = resume === undefined ? undefined : parseCursor(resume, hub.settings.STREAM_PARTITIONS);
  const cursor = parsed !== undefined && isReached(hub, parsed) && hub.known.covers(parsed) ? parsed : undefined;
  const isComplete = await loadGroups(hub, topics);
  return { cursor, isComplete: (await loadStates(hub, topics, cursor)) && isComplete };
}

/** What is ahead of the feed is of another stream, or of one that lost its data: nobody knows what came since. */
function isReached({ feed }: Hub, cursor: Cursor): boolean {
  return cursor.every((id, partition) => !isAfter(id, feed.position[partition] ?? '0-0'));
}

async function loadGroups({ refresher }: Hub, topics: readonly Topic[]): Promise<boolean> {
  const loads = topics.flatMap(({ resource }) => (resource.kind === 'group' ? [refresher.load(resource.id)] : []));
  return (await Promise.all(loads)).every(Boolean);
}

/**
 * While the database is asked a device may join a group, or a group change that was to be resumed: so it is asked until
 * it has said something of each device. @returns false: it cannot be asked
 */
async function loadStates(hub: Hub, topics: readonly Topic[], cursor: Cursor | undefined): Promise<boolean> {
  const asked = new Set<string>();
  for (;;) {
    const fresh = topics.filter((topic) => !canResume(hub, topic, cursor));
    if (fresh.some(({ resource }) => resource.kind === 'all')) return (await hub.states.ensure('all')) === 'ready';
    const missing = fresh.flatMap((topic) => [...devicesOf(hub, topic)]).filter((deviceId) => !asked.has(deviceId));
    if (missing.length === 0) return true;
    if ((await hub.states.ensure(missing)) === 'unavailable') return false;
    for (const deviceId of missing) asked.add(deviceId);
  }
}

function devicesOf({ groups, known }: Hub, { resource }: Topic): Iterable<string> {
  if (resource.kind === 'device') return [resource.id];
  return resource.kind === 'group' ? groups.membersOf(resource.id) : known.deviceIds();
}

/** What the database has not got does not exist; where it could not be asked nobody knows. */
function isUnknown({ known, groups }: Hub, { resource }: Topic): boolean {
  if (resource.kind === 'device') return known.get(resource.id) === undefined;
  return resource.kind === 'group' && !groups.has(resource.id);
}

interface Beginning extends Prepared {
  readonly ref: string | undefined;
  readonly startedAt: number;
}

/** A topic that is followed from now on. */
interface Begun {
  readonly topic: Topic;
  readonly isResumed: boolean;
  /** JSON of positions. */
  readonly snapshot: readonly string[];
}

/** null: it does not exist, or is not wanted any more. */
function begin(viewer: Viewer, wanted: Wanted, { ref, cursor, isComplete }: Beginning): Begun | null {
  if (!viewer.stands(wanted)) return null;
  const { topic } = wanted;
  const { hub } = viewer;
  const since = canResume(hub, topic, cursor) ? cursor : undefined;
  if (isComplete && since === undefined && isUnknown(hub, topic)) {
    viewer.giveUp(wanted);
    refuse(viewer, topic, ref);
    return null;
  }
  viewer.follow(wanted);
  return { topic, isResumed: since !== undefined, snapshot: snapshotOf(hub, topic, since) };
}

/**
 * Tells the viewer that it follows a topic. Only the last topic of a request says where the feed is: a client that is
 * cut off before it would otherwise go on behind what it has not got of the others. The same holds for one that has not
 * been given yet what it follows already.
 */
function announce(viewer: Viewer, begun: Begun, beginning: Beginning, isLast: boolean): void {
  const { topic, isResumed, snapshot } = begun;
  const { ref, startedAt, isComplete } = beginning;
  const { hub, outbox } = viewer;
  const id = isLast && !outbox.isConflating ? hub.feed.cursorText : undefined;
  viewer.tell('subscribed', subscribedMessage(topic, { ref, isResumed, snapshot, id }));
  const isPartial = !isComplete && !isResumed;
  if (isPartial) viewer.fail('snapshot_unavailable', 'the database does not answer: what it knows is missing here', { topic: topic.key, ref });
  const result = isPartial ? 'unavailable' : isResumed ? 'resumed' : 'ready';
  hub.events.snapshot(result, snapshot.length, performance.now() - startedAt);
}

/** Members that have joined or left a group since would be missing from what has changed in it. */
function canResume({ groups, settings }: Hub, { resource }: Topic, cursor: Cursor | undefined): boolean {
  if (cursor === undefined) return false;
  if (resource.kind !== 'group') return true;
  const latest = Math.max(...cursor.map((id) => Number(id.split('-')[0])));
  // Another process may have noticed the change later than this one.
  return groups.isUnchangedSince(resource.id, latest - settings.LIVE_DEVICE_EVENT_REFRESH_MS);
}

/** The newest known positions of the topic's devices as JSON: of all, or of those that have a newer one since. */
function snapshotOf(hub: Hub, topic: Topic, since: Cursor | undefined): string[] {
  const { known } = hub;
  const positions: string[] = [];
  for (const deviceId of devicesOf(hub, topic)) {
    const device = known.get(deviceId);
    if (device === undefined || device.newest === null) continue;
    if (since !== undefined && !known.hasNewsSince(device, since)) continue;
    positions.push(snapshotJson(device.newest, device.place));
  }
  return positions;
}

function subscribedMessage(
  { key }: Topic,
  { ref, isResumed, snapshot, id }: Omit<Begun, 'topic'> & { ref: string | undefined; id: string | undefined },
): Message {
  const echo = ref === undefined ? '' : `,"ref":${JSON.stringify(ref)}`;
  const position = id === undefined ? '' : `,"id":"${id}"`;
  const head = `{"type":"subscribed","topic":${JSON.stringify(key)}${echo},"resumed":${isResumed}`;
  return new Message(`${head},"snapshot":[${snapshot.join(',')}]${position}}`, id);
}
