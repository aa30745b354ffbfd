/** Any number of raw viewers in a process of their own, told over IPC what to do. */
import { pause } from '../../src/shared/wait.ts';
import { serve } from '../support/forked.ts';
import { RawViewer, receivedAtOf } from './raw-viewer.ts';
import type { Plan, ViewersAnswer, ViewersCommand } from './viewers-protocol.ts';

const never = new AbortController().signal;
const viewers: RawViewer[] = [];
const failures: string[] = [];
let retries = 0;
let positions = 0;
let goal = Infinity;
let reached = Promise.withResolvers<undefined>();
/** Latencies in steps of a tenth of a millisecond, the last step for everything above. */
const STEPS = 100_000;
let histogram = new Uint32Array(STEPS);
const silent = new Set<number>();
let isTiming = false;

function count(index: number, bytes: Buffer, at: number): void {
  positions += 1;
  if (positions >= goal) reached.resolve(undefined);
  if (!isTiming || silent.has(index)) return;
  const latency = performance.timeOrigin + performance.now() - receivedAtOf(bytes, at);
  const step = Math.max(0, Math.min(STEPS - 1, Math.floor(latency * 10)));
  histogram[step] = (histogram[step] as number) + 1;
}

/** Signs in and subscribes. @returns whether each topic was answered with its snapshot */
async function attempt(url: string, { token, topics }: Plan, index: number): Promise<boolean> {
  const answered = Promise.withResolvers<boolean>();
  let waiting = topics.length;
  const viewer = await RawViewer.connect(url, {
    position: (bytes, at) => { count(index, bytes, at); },
    closed: () => { answered.resolve(false); },
    message: (payload) => {
      const text = payload.toString('latin1', 0, 200);
      if (text.includes('"type":"error"')) answered.resolve(false);
      if (text.includes('"type":"subscribed"') && (waiting -= 1) <= 0) answered.resolve(true);
    },
  });
  viewers[index] = viewer;
  viewer.say({ type: 'auth', access_token: token });
  viewer.say({ type: 'subscribe', topics });
  const isIn = await answered.promise;
  if (!isIn) viewer.socket.destroy();
  return isIn;
}

/** Tries until it is in, as the client of docs/live-protocol.md does. @returns how long that took, milliseconds */
async function open(url: string, plan: Plan, index: number): Promise<number> {
  const startedAt = performance.now();
  for (let pauseMs = 1_000; !(await attempt(url, plan, index)); pauseMs = Math.min(2 * pauseMs, 30_000)) {
    retries += 1;
    await pause(pauseMs * Math.random(), never);
  }
  return performance.now() - startedAt;
}

async function openAll({ url, plans, perSecond }: Extract<ViewersCommand, { type: 'open' }>): Promise<ViewersAnswer> {
  const first = viewers.length;
  const startedAt = performance.now();
  const opening: Promise<number>[] = [];
  for (const [index, plan] of plans.entries()) {
    const due = startedAt + (index * 1_000) / perSecond;
    await pause(Math.max(0, due - performance.now()), never);
    opening.push(open(url, plan, first + index).catch((error: unknown) => {
      failures.push(String(error));
      return Number.NaN;
    }));
  }
  const waitsMs = await Promise.all(opening);
  const answer = { waitsMs, retries, failures: failures.splice(0) };
  retries = 0;
  return answer;
}

function latency(): [number, number, number] {
  const total = histogram.reduce((sum, n) => sum + n, 0);
  const at = (share: number): number => {
    let seen = 0;
    for (const [step, n] of histogram.entries()) {
      seen += n;
      if (seen > total * share) return step / 10;
    }
    return Number.NaN;
  };
  return [at(0.5), at(0.99), histogram.findLastIndex((n) => n > 0) / 10];
}

async function obey(command: ViewersCommand): Promise<ViewersAnswer> {
  switch (command.type) {
    case 'open':
      return openAll(command);
    case 'until':
      goal = command.positions;
      reached = Promise.withResolvers<undefined>();
      if (positions < goal) await reached.promise;
      return { positions };
    case 'reset':
      positions = 0;
      isTiming = command.timing;
      histogram = new Uint32Array(STEPS);
      return {};
    case 'report':
      return { positions, latencyMs: latency() };
    case 'stopReading':
      silent.add(command.index);
      viewers[command.index]?.socket.pause();
      return {};
    default:
      for (const viewer of viewers.splice(0)) viewer.socket.destroy();
      return {};
  }
}

serve(obey);
