/** Any number of trackers in a process of their own, told over IPC what to do. */
import { LatencyHistogram } from '../../src/simulator/histogram.ts';
import { pause } from '../../src/shared/wait.ts';
import { serve } from './forked.ts';
import { imeisOf, sampleFrame } from './sample-frames.ts';
import { Tracker } from './tracker.ts';
import type { FleetPlan, Latency, TrackersAnswer, TrackersCommand } from './trackers-protocol.ts';

/** Logins at the same time. */
const CONNECTING_AT_ONCE = 100;
/** Local addresses to connect from: one has ports for fewer connections than some benchmarks hold. */
const ADDRESSES = 20;
const TICK_MS = 1;
/** What is on its way when the time is over has so long to be acknowledged. */
const LAST_ANSWERS_MS = 10_000;

const never = new AbortController().signal;
const latency = new LatencyHistogram();
const latencySinceDue = new LatencyHistogram();
let trackers: readonly Tracker[] = [];
let frames = 0;
/** Of each tracker, when its frames that wait to be sent were due. */
let due = new Map<Tracker, number[]>();
let onAcknowledged: (tracker: Tracker, now: number) => void = () => undefined;

function acknowledged(tracker: Tracker, sentAt: number): void {
  const now = performance.now();
  frames += 1;
  latency.record(now - sentAt);
  onAcknowledged(tracker, now);
}

/** Trackers that are connected stay so when as many are asked for again. */
function prepare({ devices, framesEach, recordsPerFrame, firstRecord }: FleetPlan): void {
  if (trackers.length !== devices) trackers = imeisOf(devices).map((imei) => new Tracker(imei, acknowledged));
  for (const [device, tracker] of trackers.entries()) {
    const frameOf = (n: number): Buffer => sampleFrame(device, firstRecord + n * recordsPerFrame, recordsPerFrame);
    tracker.load(Array.from({ length: framesEach }, (_, n) => frameOf(n)), recordsPerFrame);
  }
}

async function connectAll(ports: readonly number[]): Promise<void> {
  let next = 0;
  const connectSome = async (): Promise<void> => {
    for (let n = next++; n < trackers.length; n = next++) {
      await trackers[n]?.connect(ports[n % ports.length] ?? 0, `127.0.0.${2 + (n % ADDRESSES)}`);
    }
  };
  await Promise.all(Array.from({ length: CONNECTING_AT_ONCE }, connectSome));
}

function reset(): void {
  frames = 0;
  latency.clear();
  latencySinceDue.clear();
}

function quantiles(histogram: LatencyHistogram): Latency {
  const at = (share: number): number => histogram.quantileMs(share) ?? Number.NaN;
  return { p50: at(0.5), p99: at(0.99), most: histogram.maxMs };
}

function answer(seconds: number, unsent = 0): TrackersAnswer {
  return { frames, seconds, latencyMs: quantiles(latency), latencySinceDueMs: quantiles(latencySinceDue), unsent };
}

async function sendAll(): Promise<TrackersAnswer> {
  reset();
  const finished = Promise.withResolvers<undefined>();
  let busy = trackers.length;
  const sendNext = (tracker: Tracker, now: number): void => {
    if (!tracker.send(now) && (busy -= 1) === 0) finished.resolve(undefined);
  };
  onAcknowledged = sendNext;
  const startedAt = performance.now();
  for (const tracker of trackers) sendNext(tracker, startedAt);
  await finished.promise;
  return answer((performance.now() - startedAt) / 1_000);
}

/** Sends what is due of this tracker, unless it waits for an acknowledgement. */
function sendDue(tracker: Tracker, now: number): void {
  if (tracker.isWaiting || (due.get(tracker)?.length ?? 0) === 0) return;
  if (!tracker.send(now)) throw new Error('too few frames were prepared');
}

async function pace(framesPerSecond: number, seconds: number): Promise<TrackersAnswer> {
  reset();
  due = new Map(trackers.map((tracker) => [tracker, []]));
  onAcknowledged = (tracker, now) => {
    const dueAt = due.get(tracker)?.shift();
    if (dueAt !== undefined) latencySinceDue.record(now - dueAt);
    sendDue(tracker, now);
  };
  const startedAt = performance.now();
  const wanted = Math.round(framesPerSecond * seconds);
  for (let made = 0; made < wanted;) {
    const now = performance.now();
    for (; made < wanted && startedAt + (made * 1_000) / framesPerSecond <= now; made += 1) {
      const tracker = trackers[made % trackers.length] as Tracker;
      due.get(tracker)?.push(startedAt + (made * 1_000) / framesPerSecond);
      sendDue(tracker, now);
    }
    await pause(TICK_MS, never);
  }
  const elapsed = (performance.now() - startedAt) / 1_000;
  let unsent = 0;
  // The first of a tracker that waits for an acknowledgement is on its way; the others are given up.
  for (const [tracker, own] of due) unsent += own.splice(Number(tracker.isWaiting)).length;
  const result = answer(elapsed, unsent);
  const deadline = performance.now() + LAST_ANSWERS_MS;
  while (trackers.some(({ isWaiting }) => isWaiting) && performance.now() < deadline) await pause(TICK_MS, never);
  return result;
}

async function obey(command: TrackersCommand): Promise<TrackersAnswer> {
  switch (command.type) {
    case 'prepare':
      prepare(command.plan);
      return answer(0);
    case 'connect':
      await connectAll(command.ports);
      return answer(0);
    case 'send':
      return await sendAll();
    case 'pace':
      return await pace(command.framesPerSecond, command.seconds);
    default:
      for (const tracker of trackers) tracker.hangUp();
      trackers = [];
      return answer(0);
  }
}

serve(obey);
