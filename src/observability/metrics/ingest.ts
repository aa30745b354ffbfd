/** Metrics of ingest. Counters count frames, records and bytes, never batches. */
import { Counter, Gauge, Histogram } from 'prom-client';
import type { Registry } from 'prom-client';

const LATENCY_BUCKETS = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30];

export type IngestMetrics = ReturnType<typeof createIngestMetrics>;

function connectionMetrics(registers: Registry[]) {
  return {
    connections: new Gauge({ registers, name: 'odograph_ingest_connections', help: 'Open tracker connections.', labelNames: ['protocol'] }),
    connectionsTotal: new Counter({ registers, name: 'odograph_ingest_connections_total', help: 'Tracker connections accepted since the start.', labelNames: ['protocol'] }),
    disconnections: new Counter({ registers, name: 'odograph_ingest_disconnections_total', help: 'Tracker connections ended, by who or what ended them.', labelNames: ['protocol', 'reason'] }),
    pausedSockets: new Gauge({ registers, name: 'odograph_ingest_paused_sockets', help: 'Tracker sockets not read because the stream does not keep up.' }),
    listenerErrors: new Counter({ registers, name: 'odograph_ingest_listener_errors_total', help: 'Connections that the system could not hand over (out of file descriptors, mostly), and answers to datagrams that it could not send.', labelNames: ['protocol'] }),
    bytes: new Counter({ registers, name: 'odograph_ingest_bytes_total', help: 'Bytes read from trackers.', labelNames: ['protocol'] }),
  };
}

function frameMetrics(registers: Registry[]) {
  return {
    frames: new Counter({ registers, name: 'odograph_ingest_frames_total', help: 'Frames by what became of them: accepted, refused (not acknowledged), skipped or broken (not frames of the protocol).', labelNames: ['protocol', 'result'] }),
    records: new Counter({ registers, name: 'odograph_ingest_records_total', help: 'Records appended to the stream at the durability that INGEST_DURABILITY asks for.', labelNames: ['protocol'] }),
    rejections: new Counter({ registers, name: 'odograph_ingest_rejections_total', help: 'Frames, records and connections not accepted, by reason.', labelNames: ['protocol', 'reason'] }),
    deadLetters: new Counter({ registers, name: 'odograph_ingest_dead_letters_total', help: 'Dead letters written by ingest, by reason.', labelNames: ['protocol', 'reason'] }),
    ackLatency: new Histogram({ registers, name: 'odograph_ingest_ack_latency_seconds', help: 'From reading the last byte of a frame that brought something to writing its acknowledgement.', labelNames: ['protocol'], buckets: LATENCY_BUCKETS }),
  };
}

function appendMetrics(registers: Registry[]) {
  return {
    appendDuration: new Histogram({ registers, name: 'odograph_ingest_append_duration_seconds', help: 'One pipeline of appends to Redis, with its fsync or replication.', buckets: LATENCY_BUCKETS }),
    appendFailures: new Counter({ registers, name: 'odograph_ingest_append_failures_total', help: 'Pipelines of appends that failed and were tried again, by reason.', labelNames: ['reason'] }),
    appendQueueBytes: new Gauge({ registers, name: 'odograph_ingest_append_queue_bytes', help: 'Bytes waiting to be appended to Redis.' }),
    deviceListSize: new Gauge({ registers, name: 'odograph_ingest_device_list_size', help: 'Devices in the list that ingest decides by, by state: enabled, disabled, or new (let in since, and not in the list yet).', labelNames: ['state'] }),
  };
}

export function createIngestMetrics(registry: Registry) {
  const registers = [registry];
  return { ...connectionMetrics(registers), ...frameMetrics(registers), ...appendMetrics(registers) };
}
