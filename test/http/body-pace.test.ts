/** How slowly a body may come, by a clock that the test turns. */
import type { IncomingMessage } from 'node:http';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { BodyPaces } from '../../src/http/body-pace.ts';

const LIMITS = { idleMs: 30_000, minBytesPerSecond: 100, totalMs: 3_600_000 };
const HIGH_WATER_MARK = 65_536;

/** What `BodyPaces` looks at of a request. */
interface Request {
  readonly headers: Readonly<Record<string, string>>;
  readonly socket: { bytesRead: number; destroyed: boolean };
  readonly readableHighWaterMark: number;
  readableLength: number;
  complete: boolean;
}

function requestOf(headers: Request['headers'] = { 'transfer-encoding': 'chunked' }): Request {
  return {
    headers, complete: false, socket: { bytesRead: 500, destroyed: false },
    readableHighWaterMark: HIGH_WATER_MARK, readableLength: 0,
  };
}

let paces: BodyPaces;
let ended: IncomingMessage[];

beforeEach(() => {
  vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval', 'performance'] });
  ended = [];
  paces = new BodyPaces({ wholeMs: 60_000, onTooSlow: (request) => { ended.push(request); } });
});
afterEach(() => {
  paces.stop();
  vi.useRealTimers();
});

function streamed(request: Request): string[] {
  const reasons: string[] = [];
  paces.watch(request as unknown as IncomingMessage)?.stream(LIMITS, (reason) => reasons.push(reason));
  return reasons;
}

/** Lets time pass, and so many bytes come in each second. */
function pass(request: Request, seconds: number, bytesPerSecond: number): void {
  for (let second = 0; second < seconds; second += 1) {
    request.socket.bytesRead += bytesPerSecond;
    vi.advanceTimersByTime(1_000);
  }
}

test('a request without a body is not watched', () => {
  expect(paces.watch(requestOf({}) as unknown as IncomingMessage)).toBeNull();
  expect(paces.watch(requestOf({ 'content-length': '0' }) as unknown as IncomingMessage)).toBeNull();
});

test('a body that is read as a whole has its time, however quickly it comes', () => {
  const request = requestOf({ 'content-length': '1000000000' });
  paces.watch(request as unknown as IncomingMessage);
  pass(request, 60, 1_000_000);
  expect(ended).toEqual([]);
  pass(request, 2, 1_000_000);
  expect(ended).toEqual([request]);
});

test('a stream goes on for minutes as long as it comes', () => {
  const request = requestOf();
  const reasons = streamed(request);
  pass(request, 900, 101);
  expect([reasons, ended]).toEqual([[], []]);
});

test('a stream that stalls is told so, once', () => {
  const request = requestOf();
  const reasons = streamed(request);
  pass(request, 100, 1_000);
  pass(request, 120, 0);
  expect(reasons).toHaveLength(1);
  expect(reasons[0]).toMatch(/^of the body came \d+ bytes in 31\.0 seconds, and 3100 is the least$/);
  expect(ended).toEqual([]);
});

test('a stream that trickles is told so', () => {
  const request = requestOf();
  const reasons = streamed(request);
  pass(request, 32, 99);
  expect(reasons).toHaveLength(1);
});

test('a client that this process keeps waiting is not blamed, and has its time again afterwards', () => {
  const request = requestOf();
  const reasons = streamed(request);
  request.readableLength = HIGH_WATER_MARK;
  pass(request, 600, 0);
  expect(reasons).toEqual([]);
  request.readableLength = 0;
  pass(request, 30, 0);
  expect(reasons).toEqual([]);
  pass(request, 2, 0);
  expect(reasons).toHaveLength(1);
});

test('a stream ends at its total time', () => {
  const request = requestOf();
  const reasons = streamed(request);
  pass(request, 3_602, 1_000_000);
  expect(reasons).toEqual(['the body was not complete within 3600 seconds']);
});

test.each(['complete', 'gone'])('a body that is %s is forgotten', (how) => {
  const request = requestOf();
  const reasons = streamed(request);
  if (how === 'complete') request.complete = true;
  else request.socket.destroyed = true;
  pass(request, 7_200, 0);
  expect([reasons, ended]).toEqual([[], []]);
});
