/**
 * What happens in the live server, each as one function that logs and counts. WARN: something is wrong and nothing is
 * lost; a live feed loses nothing, since all that it shows is in the stream and in the database.
 */
import type { LiveMetrics } from '../observability/metrics/live.ts';
import type { Logger } from '../observability/logger.ts';
import { CodecError, errorMessage } from '../shared/errors.ts';
import type { Transport } from './messages/frames.ts';
import type { CloseReason, ErrorCode, Rejection, ServerMessageType, UnsubscribedReason } from './messages/protocol.ts';
import { CLOSES, ERRORS, REJECTIONS } from './messages/protocol.ts';

export type LiveEvents = ReturnType<typeof createLiveEvents>;

/** Why nobody was shown a record. */
export type DropReason = 'not_newer' | 'no_viewer' | 'malformed';

const MS = 1_000;

/** A counter that appears with its first event has no increase that an alert could see. */
function startAtZero(metrics: LiveMetrics): void {
  for (const result of ['ok', 'empty', 'error']) metrics.reads.inc({ result }, 0);
  for (const reason of ['not_newer', 'no_viewer', 'malformed']) metrics.drops.inc({ reason }, 0);
  for (const reason of Object.keys(REJECTIONS)) metrics.rejections.inc({ reason }, 0);
  for (const code of Object.keys(ERRORS)) metrics.errors.inc({ code }, 0);
  for (const { code } of Object.values(CLOSES)) metrics.closes.inc({ code: String(code) }, 0);
  for (const kind of ['device', 'group', 'all']) metrics.subscriptions.set({ kind }, 0);
  for (const transport of ['websocket', 'sse']) metrics.connections.set({ transport }, 0);
  for (const reason of ['requested', 'revoked', 'expired']) metrics.unsubscriptions.inc({ reason }, 0);
  for (const result of ['ok', 'error']) {
    metrics.stateQueries.inc({ result }, 0);
    metrics.groupRefreshes.inc({ result }, 0);
  }
}

function connectionEvents(metrics: LiveMetrics, log: Logger) {
  return {
    listening(address: { host: string; port: number }): void {
      log.info(address, 'listening for viewers');
    },
    rejected(reason: Rejection, address: string): void {
      metrics.rejections.inc({ reason });
      log.debug({ reason, address }, 'viewer rejected');
    },
    connected(transport: Transport): void {
      metrics.connections.inc({ transport });
    },
    /** @param reason why the server has ended it; null: the viewer has */
    disconnected(transport: Transport, address: string, code: number, reason: CloseReason | null): void {
      metrics.connections.dec({ transport });
      metrics.closes.inc({ code: String(code) });
      const isOurs = reason === 'slow_client' || reason === 'rate_limited' || reason === 'bad_messages';
      log[isOurs ? 'warn' : 'debug']({ transport, address, code, reason }, 'viewer disconnected');
    },
    connectionFailed(address: string, error: unknown): void {
      log.error({ address, err: error }, 'a connection failed for a bug of ours');
    },
    received(type: string): void {
      metrics.inbound.inc({ type });
    },
    sent(type: ServerMessageType, count = 1): void {
      metrics.outbound.inc({ type }, count);
    },
    failed(code: ErrorCode): void {
      metrics.errors.inc({ code });
    },
    followed(kind: string): void {
      metrics.subscriptions.inc({ kind });
    },
    /** @param reason null: the connection has ended */
    unfollowed(kind: string, reason: UnsubscribedReason | null): void {
      metrics.subscriptions.dec({ kind });
      if (reason !== null) metrics.unsubscriptions.inc({ reason });
    },
    conflated: (positions: number): void => {
      metrics.conflated.inc(positions);
    },
    pressure: (isHigh: boolean): void => {
      metrics.pressured.inc(isHigh ? 1 : -1);
    },
  };
}

function broadcastEvents(metrics: LiveMetrics, log: Logger) {
  let isStalled = false;
  return {
    joined(group: string, streams: number): void {
      log.info({ group, streams }, 'following the stream');
    },
    read(records: number): void {
      metrics.reads.inc({ result: records === 0 ? 'empty' : 'ok' });
      metrics.records.inc(records);
      if (isStalled) log.info('the stream can be read again');
      isStalled = false;
    },
    readFailed(error: unknown): void {
      metrics.reads.inc({ result: 'error' });
      if (!isStalled) log.warn({ error: errorMessage(error) }, 'cannot read the stream; viewers wait');
      isStalled = true;
    },
    /** What is not as the contract says is for the processor to report; anything else is a bug of ours. */
    entryFailed(entry: string, error: unknown): void {
      metrics.drops.inc({ reason: 'malformed' });
      if (error instanceof CodecError) log.debug({ entry, error: error.message }, 'cannot show an entry of the stream');
      else log.error({ entry, err: error }, 'showing an entry of the stream failed');
    },
    dropped(reason: DropReason): void {
      metrics.drops.inc({ reason });
    },
    /** Positions are on their way; `receivedAt` of each, epoch milliseconds. */
    broadcast(receivedAt: readonly number[]): void {
      const now = Date.now();
      for (const at of receivedAt) metrics.lag.observe(Math.max(0, now - at) / MS);
    },
    fanOut: (deliveries: number): void => {
      metrics.fanOuts.inc(deliveries);
    },
    knownDevices(devices: number): void {
      metrics.knownDevices.set(devices);
    },
    groupRestored(): void {
      metrics.restored.inc();
      log.warn('the consumer group was gone: positions of the time without it may not have been shown live');
    },
    groupsReaped(groups: number): void {
      if (groups === 0) return;
      metrics.reaped.inc(groups);
      log.info({ groups }, 'removed consumer groups of dead live processes');
    },
    upkeepFailed: (what: string, error: unknown): void => {
      log.warn({ error: errorMessage(error) }, `${what} failed; trying again`);
    },
  };
}

function databaseEvents(metrics: LiveMetrics, log: Logger) {
  let isAway = false;
  return {
    snapshot(result: 'ready' | 'resumed' | 'unavailable', positions: number, durationMs: number): void {
      metrics.snapshotDuration.observe({ result }, durationMs / MS);
      metrics.snapshotPositions.observe(positions);
    },
    statesRead(): void {
      metrics.stateQueries.inc({ result: 'ok' });
      if (isAway) log.info('the database answers again: snapshots are complete');
      isAway = false;
    },
    statesFailed(error: unknown): void {
      metrics.stateQueries.inc({ result: 'error' });
      if (!isAway) log.warn({ error: errorMessage(error) }, 'no newest positions from the database: snapshots hold what is known without it');
      isAway = true;
    },
    groupsRead(pairs: number): void {
      metrics.groupRefreshes.inc({ result: 'ok' });
      metrics.groupMembers.set(pairs);
    },
    groupsFailed(error: unknown): void {
      metrics.groupRefreshes.inc({ result: 'error' });
      log.debug({ error: errorMessage(error) }, 'cannot read the members of groups; going on with the last ones');
    },
    groupsAge(ageMs: number): void {
      metrics.groupAge.set(ageMs / MS);
    },
  };
}

export function createLiveEvents(metrics: LiveMetrics, log: Logger) {
  startAtZero(metrics);
  return {
    ...connectionEvents(metrics, log),
    ...broadcastEvents(metrics, log),
    ...databaseEvents(metrics, log),
  };
}
