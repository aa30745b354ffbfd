/** Metrics of the processor. Counters count stream entries or records, as their help says, never batches. */
import { Counter, Gauge, Histogram } from 'prom-client';
import type { Registry } from 'prom-client';

const WRITE_BUCKETS = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60];

export type CoreMetrics = ReturnType<typeof createCoreMetrics>;

function consumerMetrics(registers: Registry[]) {
  return {
    reads: new Counter({ registers, name: 'processor_consumer_reads_total', help: 'Reads of the stream, by result: ok, empty or error.', labelNames: ['result'] }),
    records: new Counter({ registers, name: 'processor_consumer_records_total', help: 'Records read from the stream.' }),
    lag: new Gauge({ registers, name: 'processor_consumer_lag', help: 'Stream entries not yet delivered to the group processor, over all partitions.' }),
    pending: new Gauge({ registers, name: 'odograph_core_pending_entries', help: 'Stream entries delivered to the group processor and not yet acknowledged.' }),
    decodeErrors: new Counter({ registers, name: 'processor_decode_errors_total', help: 'Entries and records of the stream that are not what the contract says.' }),
    acks: new Counter({ registers, name: 'processor_acks_total', help: 'Stream entries acknowledged after COMMIT.' }),
    claimed: new Counter({ registers, name: 'odograph_core_claimed_entries_total', help: 'Stream entries taken over from dead consumers.' }),
    groupsRecreated: new Counter({ registers, name: 'odograph_core_groups_recreated_total', help: 'Times that the consumer group was gone and created again: Redis lost its data.' }),
    trimmed: new Counter({ registers, name: 'odograph_core_trimmed_entries_total', help: 'Stream entries removed behind the acknowledgements of every durable group.' }),
    streamEntries: new Gauge({ registers, name: 'odograph_core_stream_entries', help: 'Entries in the telemetry streams.' }),
    queueRecords: new Gauge({ registers, name: 'odograph_core_queue_records', help: 'Records read ahead of the database.' }),
  };
}

function writerMetrics(registers: Registry[]) {
  return {
    writes: new Counter({ registers, name: 'processor_position_writes_total', help: 'Records by what the database made of them: inserted, duplicate, or failed (dead-lettered).', labelNames: ['status'] }),
    writeDuration: new Histogram({ registers, name: 'processor_position_write_duration_seconds', help: 'One transaction of positions and device state.', buckets: WRITE_BUCKETS }),
    writeRetries: new Counter({ registers, name: 'odograph_core_write_retries_total', help: 'Transactions tried again, by SQLSTATE or errno.', labelNames: ['code'] }),
    commitLatency: new Histogram({ registers, name: 'odograph_core_receipt_to_commit_seconds', help: 'From the receipt of a frame by ingest to the COMMIT of its records.', buckets: WRITE_BUCKETS }),
    deadLetters: new Counter({ registers, name: 'odograph_core_dead_letters_total', help: 'Dead letters written by the processor, by reason.', labelNames: ['reason'] }),
  };
}

function deadLetterMetrics(registers: Registry[]) {
  return {
    deadLetterEntries: new Gauge({ registers, name: 'odograph_core_dead_letter_entries', help: 'Dead letters in Redis, of ingest and of the processor.' }),
    deadLetterBytes: new Gauge({ registers, name: 'odograph_core_dead_letter_bytes', help: 'Memory of Redis that the dead letters take.' }),
    deadLetterMaxBytes: new Gauge({ registers, name: 'odograph_core_dead_letter_max_bytes', help: 'DEAD_LETTER_MAX_BYTES: what they may take.' }),
    deadLetterOldestAge: new Gauge({ registers, name: 'odograph_core_dead_letter_oldest_age_seconds', help: 'How long ago the oldest dead letter was written; 0: there is none.' }),
    deadLettersDropped: new Counter({ registers, name: 'odograph_core_dead_letters_dropped_total', help: 'Dead letters dropped, the oldest first, because all took more than DEAD_LETTER_MAX_BYTES: they are lost.' }),
  };
}

function deviceMetrics(registers: Registry[]) {
  return {
    deviceStateSize: new Gauge({ registers, name: 'processor_device_state_size', help: 'Devices held in memory.' }),
    deviceStateEvictions: new Counter({ registers, name: 'processor_device_state_evictions_total', help: 'Devices dropped from memory to make room.' }),
    devicesRegistered: new Counter({ registers, name: 'odograph_core_devices_registered_total', help: 'Devices added to the table devices on their first record.' }),
    lateRecords: new Counter({ registers, name: 'odograph_core_late_records_total', help: "Records stored that are older than their device's newest." }),
  };
}

function rollupMetrics(registers: Registry[]) {
  return {
    rollupHours: new Counter({ registers, name: 'odograph_core_rollup_hours_total', help: 'Hours of trackers rolled up, by cause: over, late (records came for an hour that had been rolled up) or past (from before there were rollups).', labelNames: ['cause'] }),
    rollupDuration: new Histogram({ registers, name: 'odograph_core_rollup_duration_seconds', help: 'One transaction of rollups: up to 100 hours of trackers, or some minutes of up to 500.', buckets: WRITE_BUCKETS }),
    rollupLag: new Gauge({ registers, name: 'odograph_core_rollup_lag_seconds', help: 'How long ago the last hour that is rolled up ended; 0: none is yet.' }),
    rollupMinutesLag: new Gauge({ registers, name: 'odograph_core_rollup_minutes_lag_seconds', help: 'How long ago the last minute that is rolled up ended; 0: none is yet. What is not rolled up is answered from positions.' }),
    rollupMarks: new Gauge({ registers, name: 'odograph_core_rollup_marks', help: 'Marks of late records that wait for their hour or minute to be rolled up again; beyond 10,000 as PostgreSQL estimates them.' }),
  };
}

export function createCoreMetrics(registry: Registry) {
  const registers = [registry];
  return {
    ...consumerMetrics(registers), ...writerMetrics(registers),
    ...deadLetterMetrics(registers), ...deviceMetrics(registers), ...rollupMetrics(registers),
  };
}
