/**
 * What happens in ingest, each as one function that logs and counts. WARN: something is wrong and nothing is lost.
 * A connection logs each kind of refusal once, however often it happens: the counter tells how often.
 */
import type { IngestMetrics } from '../observability/metrics/ingest.ts';
import type { Logger } from '../observability/logger.ts';
import { errorMessage } from '../shared/errors.ts';
import type { ReasonCode } from '../shared/reasons.ts';

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

function connectionEvents(metrics: IngestMetrics, log: Logger) {
  return {
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
      log.warn({ ...peer, reason: 'too_many_connections' }, message);
    },
    tlsFailed(peer: Peer, error: unknown): void {
      metrics.rejections.inc({ protocol: peer.protocol, reason: 'tls_handshake_failed' });
      log.warn({ ...peer, error: errorMessage(error) }, 'TLS handshake failed');
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

function frameEvents(metrics: IngestMetrics, log: Logger) {
  return {
    frame(protocol: string, result: FrameResult): void {
      metrics.frames.inc({ protocol, result });
    },
    /** `logged` remembers what this connection has logged already. */
    refused(peer: Peer, refusal: Refusal, logged: Set<ReasonCode>): void {
      metrics.rejections.inc({ protocol: peer.protocol, reason: refusal.code });
      if (logged.has(refusal.code)) return;
      logged.add(refusal.code);
      log.warn({ ...peer, reason: refusal.code, field: refusal.field }, refusal.message);
    },
    deadLettered(peer: Peer, reasons: readonly ReasonCode[], logged: Set<ReasonCode>): void {
      for (const reason of reasons) {
        metrics.rejections.inc({ protocol: peer.protocol, reason });
        metrics.deadLetters.inc({ protocol: peer.protocol, reason });
        if (logged.has(reason)) continue;
        logged.add(reason);
        log.warn({ ...peer, reason }, 'kept as dead letter');
      }
    },
    recordsKept(protocol: string, count: number): void {
      metrics.records.inc({ protocol }, count);
    },
    acknowledged(protocol: string, latencyMs: number): void {
      metrics.ackLatency.observe({ protocol }, latencyMs / MS);
    },
    decoderThrew(peer: Peer, error: unknown): void {
      log.error({ ...peer, err: error }, 'decoder threw; the frame is kept as dead letter');
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
    deviceListStale(error: unknown): void {
      log.warn({ error: errorMessage(error) }, 'cannot read the device list; going on with the last one');
    },
    redisError(error: Error): void {
      log.debug({ error: error.message }, 'Redis connection error');
    },
  };
}

export function createIngestEvents(metrics: IngestMetrics, log: Logger) {
  return { ...connectionEvents(metrics, log), ...frameEvents(metrics, log), ...streamEvents(metrics, log) };
}
