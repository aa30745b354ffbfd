/**
 * Bursts of ten positions to a thousand viewers, from the stream to the last socket, next to what one writes first: a
 * loop over the clients with a stringify and a `ws.send` each. The viewers are raw sockets in a process of their own.
 */
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { WebSocket } from 'ws';
import { WebSocketServer } from 'ws';
import { encodeEntry, partitionOf, telemetryStream } from '../../src/shared/contracts/telemetry-stream.ts';
import type { Redis } from '../../src/shared/redis.ts';
import type { Benchmark, BenchOptions, Outcome } from '../benchmark.ts';
import { cpuSeconds } from '../support/usage.ts';
import { startLiveInProcess } from './in-process.ts';
import { sampleRecord } from './sample.ts';
import { Viewers } from './viewers.ts';

const VIEWERS = 1_000;
const BURST = 10;
const DEVICES = Array.from({ length: BURST }, (_, n) => String(356_307_042_441_000 + n));

interface Contestant {
  readonly viewers: Viewers;
  /** Sends one burst. */
  burst(): Promise<void>;
  stop(): Promise<void>;
}

interface Round {
  readonly deliveriesPerSecond: number;
  readonly cpuMicrosPerDelivery: number;
  /** Of the process of the viewers. */
  readonly viewersMicrosPerDelivery: number;
}

let time = Date.now();

async function append(redis: Redis, partitions: number): Promise<void> {
  const pipeline = redis.pipeline();
  for (const deviceId of DEVICES) {
    const frame = { deviceId, protocol: 'teltonika', receivedAt: Date.now(), records: [sampleRecord((time += 1))] };
    pipeline.call('XADD', telemetryStream(partitionOf(deviceId, partitions)), '*', ...encodeEntry(frame));
  }
  await pipeline.exec();
}

async function odograph(options: BenchOptions): Promise<Contestant> {
  const live = await startLiveInProcess(options.servers, DEVICES);
  const viewers = await openViewers(live.url);
  return { viewers, burst: () => append(live.redis, live.partitions), stop: () => live.stop() };
}

/** The loop that everybody writes first. */
async function naive(): Promise<Contestant> {
  const http = createServer();
  const server = new WebSocketServer({ server: http, perMessageDeflate: false });
  const clients = new Set<WebSocket>();
  server.on('connection', (socket) => {
    clients.add(socket);
    socket.on('message', (data: Buffer) => {
      const { type } = JSON.parse(data.toString()) as { type: string };
      if (type === 'subscribe') socket.send(JSON.stringify({ type: 'subscribed', topic: '*', snapshot: [] }));
    });
    socket.on('close', () => clients.delete(socket));
  });
  http.listen(0, '127.0.0.1');
  await once(http, 'listening');
  const viewers = await openViewers(`ws://127.0.0.1:${(http.address() as AddressInfo).port}/live`);
  const burst = async (): Promise<void> => {
    for (const deviceId of DEVICES) {
      const { attributes, ...fields } = sampleRecord((time += 1));
      const position = { deviceId, receivedAt: Date.now(), ...fields, attributes: Object.fromEntries(attributes) };
      for (const client of clients) client.send(JSON.stringify({ type: 'position', topic: '*', position }));
    }
  };
  return {
    viewers,
    burst,
    stop: async () => {
      for (const client of clients) client.terminate();
      http.close();
    },
  };
}

async function openViewers(url: string): Promise<Viewers> {
  const viewers = new Viewers();
  const plans = Array.from({ length: VIEWERS }, () => ({ token: 'bench-token-0123456789', topics: ['*'] }));
  const { failures = [] } = await viewers.ask({ type: 'open', url, plans, perSecond: 2_000 });
  if (failures.length > 0) throw new Error(`${failures.length} viewers failed: ${failures[0]}`);
  return viewers;
}

async function measure({ viewers, burst }: Contestant, bursts: number): Promise<Round> {
  await viewers.ask({ type: 'reset', timing: false });
  const viewersCpu = await cpuSeconds(viewers.pid);
  const cpu = process.cpuUsage();
  const startedAt = performance.now();
  for (let n = 1; n <= bursts; n += 1) {
    const arrived = viewers.ask({ type: 'until', positions: n * BURST * VIEWERS });
    await burst();
    await arrived;
  }
  const seconds = (performance.now() - startedAt) / 1_000;
  const { user, system } = process.cpuUsage(cpu);
  const deliveries = bursts * BURST * VIEWERS;
  return {
    deliveriesPerSecond: deliveries / seconds,
    cpuMicrosPerDelivery: (user + system) / deliveries,
    viewersMicrosPerDelivery: (((await cpuSeconds(viewers.pid)) - viewersCpu) * 1_000_000) / deliveries,
  };
}

async function run(options: BenchOptions): Promise<Outcome> {
  const contestants = [await odograph(options), await naive()] as const;
  const rounds: [Round[], Round[]] = [[], []];
  const bursts = options.quick ? 5 : 40;
  for (const contestant of contestants) await measure(contestant, bursts);
  for (let round = 0; round < (options.quick ? 2 : 7); round += 1) {
    for (const which of [0, 1] as const) rounds[which].push(await measure(contestants[which], bursts));
  }
  for (const { viewers, stop } of contestants) {
    viewers.stop();
    await stop();
  }
  const of = (which: 0 | 1, what: keyof Round): number[] => rounds[which].map((round) => round[what]);
  const over = (what: keyof Round): number[] =>
    rounds[0].map((round, n) => round[what] / (rounds[1][n]?.[what] ?? Number.NaN));
  return {
    figures: [
      { name: 'odograph, deliveries', unit: '/s', values: of(0, 'deliveriesPerSecond') },
      { name: 'ws.send loop, deliveries', unit: '/s', values: of(1, 'deliveriesPerSecond') },
      { name: 'odograph, CPU of the server per delivery', unit: 'µs', values: of(0, 'cpuMicrosPerDelivery') },
      { name: 'ws.send loop, CPU of the server per delivery', unit: 'µs', values: of(1, 'cpuMicrosPerDelivery') },
      { name: 'odograph, CPU of the viewers per delivery', unit: 'µs', values: of(0, 'viewersMicrosPerDelivery') },
      { name: 'ws.send loop, CPU of the viewers per delivery', unit: 'µs', values: of(1, 'viewersMicrosPerDelivery') },
    ],
    ratios: [
      { name: 'deliveries over the ws.send loop', values: over('deliveriesPerSecond'), goal: 'at least 8' },
      { name: 'CPU per delivery over the ws.send loop', values: over('cpuMicrosPerDelivery'), goal: 'at most 0.125' },
    ],
  };
}

export const fanOut: Benchmark = { name: 'live-fan-out', what: 'bursts of 10 positions to 1,000 viewers, from the stream', run };
