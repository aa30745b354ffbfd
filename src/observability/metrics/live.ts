/** Metrics of the live server. Positions are counted, never batches; a fan-out is one position to one viewer. */
import { Counter, Gauge, Histogram } from 'prom-client';
import type { Registry } from 'prom-client';

const LATENCY_BUCKETS = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30];
const SIZE_BUCKETS = [1, 10, 100, 1_000, 10_000, 100_000];

export type LiveMetrics = ReturnType<typeof createLiveMetrics>;

function connectionMetrics(registers: Registry[]) {
  return {
    connections: new Gauge({ registers, name: 'processor_live_connections', help: 'Viewers that are connected.', labelNames: ['transport'] }),
    rejections: new Counter({ registers, name: 'processor_live_rejections_total', help: 'Requests that did not become a connection, by reason.', labelNames: ['reason'] }),
    closes: new Counter({ registers, name: 'processor_live_closes_total', help: 'Connections that ended, by close code (1006: without one); an event stream counts under the code that a WebSocket would have got.', labelNames: ['code'] }),
    inbound: new Counter({ registers, name: 'processor_live_inbound_messages_total', help: 'Messages of viewers, by type; `invalid` are none of the protocol, `limited` were not read because there were too many.', labelNames: ['type'] }),
    outbound: new Counter({ registers, name: 'processor_live_outbound_messages_total', help: 'Messages to viewers, by type, but for `position`: those are counted as fan-outs.', labelNames: ['type'] }),
    errors: new Counter({ registers, name: 'processor_live_errors_total', help: 'Error messages to viewers, by code.', labelNames: ['code'] }),
    subscriptions: new Gauge({ registers, name: 'processor_live_subscriptions', help: 'Topics followed, over all connections, by kind.', labelNames: ['kind'] }),
    unsubscriptions: new Counter({ registers, name: 'processor_live_unsubscriptions_total', help: 'Subscriptions that ended before their connection, by reason.', labelNames: ['reason'] }),
    conflated: new Counter({ registers, name: 'processor_live_conflated_positions_total', help: 'Positions that a slow viewer was not sent because a newer one of the device came first.' }),
    pressured: new Gauge({ registers, name: 'processor_live_slow_connections', help: 'Connections with more than LIVE_WS_BACKPRESSURE_THRESHOLD_BYTES waiting.' }),
  };
}

function broadcastMetrics(registers: Registry[]) {
  return {
    reads: new Counter({ registers, name: 'processor_live_broadcast_reads_total', help: 'Reads of the stream, by result: ok, empty or error.', labelNames: ['result'] }),
    records: new Counter({ registers, name: 'processor_live_broadcast_records_total', help: 'Records read from the stream.' }),
    fanOuts: new Counter({ registers, name: 'processor_live_broadcast_fan_outs_total', help: 'Positions given to viewers: a position to three viewers counts three.' }),
    drops: new Counter({ registers, name: 'processor_live_broadcast_drops_total', help: 'Records that nobody was shown: not_newer than what is known of the device, no_viewer, or malformed.', labelNames: ['reason'] }),
    lag: new Histogram({ registers, name: 'processor_live_broadcast_lag_seconds', help: 'From the receipt of a position by ingest to its writing to the sockets of its viewers.', buckets: LATENCY_BUCKETS }),
    restored: new Counter({ registers, name: 'processor_live_broadcast_groups_restored_total', help: 'Times that the consumer group was gone and made again.' }),
    reaped: new Counter({ registers, name: 'processor_live_broadcast_groups_reaped_total', help: 'Consumer groups of dead live processes that were removed.' }),
    knownDevices: new Gauge({ registers, name: 'processor_live_known_devices', help: 'Devices whose newest position is in memory.' }),
  };
}

function databaseMetrics(registers: Registry[]) {
  return {
    snapshotDuration: new Histogram({ registers, name: 'processor_live_snapshot_duration_seconds', help: 'From the authorisation of a subscription to its snapshot, by result: ready, resumed or unavailable.', labelNames: ['result'], buckets: LATENCY_BUCKETS }),
    snapshotPositions: new Histogram({ registers, name: 'processor_live_snapshot_positions', help: 'Positions in a snapshot.', buckets: SIZE_BUCKETS }),
    stateQueries: new Counter({ registers, name: 'processor_live_state_queries_total', help: 'Queries for the newest known positions, by result.', labelNames: ['result'] }),
    groupMembers: new Gauge({ registers, name: 'processor_live_device_group_pairs', help: 'Pairs of device and followed group at this moment.' }),
    groupAge: new Gauge({ registers, name: 'processor_live_device_group_age_seconds', help: 'Time since the members of groups were read from the database; 0 while nobody follows one.' }),
    groupRefreshes: new Counter({ registers, name: 'processor_live_device_group_refreshes_total', help: 'Readings of the members of groups, by result.', labelNames: ['result'] }),
  };
}

export function createLiveMetrics(registry: Registry) {
  const registers = [registry];
  return {
    ...connectionMetrics(registers), ...broadcastMetrics(registers), ...databaseMetrics(registers),
  };
}
