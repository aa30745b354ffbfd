/**
 * What happens in ingest, each as one function that logs and counts. WARN: something is wrong and nothing is lost.
 * A connection logs each kind of refusal once, and the process only so many of a kind, however often it happens: the
 * counter tells how often.
 */
import type { IngestMetrics } from '../observability/metrics/ingest.ts';
import type { Logger } from '../observability/logger.ts';
import type { LimitedLog } from '../observability/warning-limit.ts';
import { limited } from '../observability/warning-limit.ts';
import { errorMessage } from '../shared/errors.ts';
import type { ReasonCode } from '../shared/reasons.ts';
import { DEAD_LETTER_REASONS, REASON_CODES } from '../shared/reasons.ts';
import type { FrameEntries } from './entries.ts';

/** Why a connection ended: a reason of ours, or what the other side or the network did. */
export type EndReason = ReasonCode | 'peer_closed' | 'socket_error' | 'shutdown';

/** Whom a log line is about. */
export interface Peer {
  readonly protocol: string;
  readonly address: string;
  readonly deviceId: string | null;
}

export interface Refusal {
  readonly code: ReasonCode;
  readonly message: string;
  readonly field?: string;
}

export type FrameResult = 'accepted' | 'refused' | 'skipped' | 'broken';

export type IngestEvents = ReturnType<typeof createIngestEvents>;

const MS = 1_000;

function connectionEvents(metrics: IngestMetrics, log: Logger, report: LimitedLog) {
  return {
    /** A counter that appears with its first event has no increase that an alert could see. */
    listening(listener: { protocol: string; transport: string; port: number }): void {
      const { protocol } = listener;
      for (const reason of REASON_CODES) metrics.rejections.inc({ protocol, reason }, 0);
      for (const reason of DEAD_LETTER_REASONS) metrics.deadLetters.inc({ protocol, reason }, 0);
      log.info(listener, 'listening for trackers');
    },
    connectionOpened(protocol: string): void {
      metrics.connections.inc({ protocol });
      metrics.connectionsTotal.inc({ protocol });
    },
    connectionEnded(peer: Peer, reason: EndReason): void {
      metrics.connections.dec({ protocol: peer.protocol });
      metrics.disconnections.inc({ protocol: peer.protocol, reason });
      log.debug({ ...peer, reason }, 'connection ended');
    },
    connectionRefused(peer: Peer, message: string): void {
      metrics.rejections.inc({ protocol: peer.protocol, reason: 'too_many_connections' });
      report('warn', 'too_many_connections', { ...peer, reason: 'too_many_connections' }, message);
    },
    tlsFailed(peer: Peer, error: unknown): void {
      metrics.rejections.inc({ protocol: peer.protocol, reason: 'tls_handshake_failed' });
      const reason = 'tls_handshake_failed';
      report('warn', reason, { ...peer, reason, error: errorMessage(error) }, 'TLS handshake failed');
    },
    /** A port that goes on, but could not take a connection or send an answer. */
    listenerFailed(protocol: string, error: Error): void {
      metrics.listenerErrors.inc({ protocol });
      report('warn', 'listener', { protocol, error: error.message }, 'cannot take a connection, or answer a datagram');
    },
    loggedIn(peer: Peer): void {
      log.debug(peer, 'tracker logged in');
    },
    socketsPaused(change: 1 | -1): void {
      metrics.pausedSockets.inc(change);
    },
    bytesRead(protocol: string, bytes: number): void {
      metrics.bytes.inc({ protocol }, bytes);
    },
  };
}

function frameEvents(metrics: IngestMetrics, report: LimitedLog) {
  const warnOnce = (peer: Peer, { code, field, message }: Refusal, logged: Set<ReasonCode> | undefined): void => {
    if (logged?.has(code) === true) return;
    logged?.add(code);
    report('warn', code, { ...peer, reason: code, field }, message);
  };
  return {
    frame(protocol: string, result: FrameResult): void {
      metrics.frames.inc({ protocol, result });
    },
    /** `logged` remembers what this connection has logged already; a datagram has none. */
    refused(peer: Peer, refusal: Refusal, logged?: Set<ReasonCode>): void {
      metrics.rejections.inc({ protocol: peer.protocol, reason: refusal.code });
      warnOnce(peer, refusal, logged);
    },
    /** What a frame brought is durable. */
    kept(peer: Peer, entries: FrameEntries, logged?: Set<ReasonCode>): void {
      const { protocol } = peer;
      metrics.records.inc({ protocol }, entries.recordCount);
      for (const reason of entries.rejected) metrics.rejections.inc({ protocol, reason });
      for (const { reason } of entries.deadLetters) {
        metrics.deadLetters.inc({ protocol, reason });
        warnOnce(peer, { code: reason, message: 'kept as dead letter' }, logged);
      }
    },
    acknowledged(protocol: string, latencyMs: number): void {
      metrics.ackLatency.observe({ protocol }, latencyMs / MS);
    },
    decoderThrew(peer: Peer, error: unknown): void {
      report('error', 'internal_error', { ...peer, err: error }, 'decoder threw; the frame is kept as dead letter');
    },
  };
}

/** The word that begins an error reply of Redis is its code: OOM, READONLY, LOADING … */
function appendFailureReason(error: Error): string {
  if (error.name === 'DurabilityError') return 'durability';
  const code = /^([A-Z]{3,}) /.exec(error.message)?.[1];
  if (error.name === 'ReplyError' && code !== undefined) return code.toLowerCase();
  return error.message === 'Command timed out' ? 'timeout' : 'connection';
}

function streamEvents(metrics: IngestMetrics, log: Logger) {
  let stalled = false;
  return {
    queueBytes(bytes: number): void {
      metrics.appendQueueBytes.set(bytes);
    },
    appended(durationMs: number): void {
      metrics.appendDuration.observe(durationMs / MS);
      if (stalled) log.info('appending again: trackers are acknowledged');
      stalled = false;
    },
    appendFailed(error: Error): void {
      const reason = appendFailureReason(error);
      metrics.appendFailures.inc({ reason });
      if (!stalled) log.warn({ reason, error: error.message }, 'cannot append: acknowledgements are withheld until Redis takes records');
      stalled = true;
    },
    deviceListRead(enabled: number, disabled: number): void {
      metrics.deviceListSize.set({ state: 'enabled' }, enabled);
      metrics.deviceListSize.set({ state: 'disabled' }, disabled);
    },
    newDevices(count: number): void {
      metrics.deviceListSize.set({ state: 'new' }, count);
    },
    deviceListStale(error: unknown): void {
      log.warn({ error: errorMessage(error) }, 'cannot read the device list; going on with the last one');
    },
    redisNotReady(error: unknown): void {
      log.debug({ error: errorMessage(error) }, 'Redis went away while its durability was checked');
    },
  };
}

export function createIngestEvents(metrics: IngestMetrics, log: Logger) {
  const report = limited(log);
  return {
    ...connectionEvents(metrics, log, report),
    ...frameEvents(metrics, report),
    ...streamEvents(metrics, log),
  };
}
