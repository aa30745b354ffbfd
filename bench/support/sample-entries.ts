/** What the frames of `sample-frames.ts` become in ingest: decoded records and entries of the stream. */
import { frameEntries } from '../../src/ingest/entries.ts';
import type { StreamAppend } from '../../src/ingest/entries.ts';
import { teltonika } from '../../src/protocols/teltonika/index.ts';
import type { TelemetryRecord } from '../../src/shared/model.ts';
import { imeisOf, sampleFrame } from './sample-frames.ts';

/** As the default of STREAM_PARTITIONS. */
export const PARTITIONS = 4;

/** Which records: of each device `recordsEach` from number `firstRecord` on, in frames of `recordsPerFrame`. */
export interface Sample {
  readonly devices: number;
  readonly firstRecord: number;
  readonly recordsEach: number;
  readonly recordsPerFrame: number;
}

export interface SampleEntry {
  readonly device: number;
  readonly records: readonly TelemetryRecord[];
  readonly append: StreamAppend;
}

/** One entry a frame; the devices take turns, as they do when each sends a frame now and then. */
export function* sampleEntries(sample: Sample): Generator<SampleEntry> {
  const { devices, firstRecord, recordsEach, recordsPerFrame } = sample;
  const imeis = imeisOf(devices);
  const receivedAt = Date.now();
  const context = {
    protocol: teltonika.name, session: null, receivedAt, now: receivedAt, partitions: PARTITIONS,
    maxPastMs: Infinity, maxFutureMs: 0,
  };
  for (let n = 0; n < recordsEach; n += recordsPerFrame) {
    for (const [device, deviceId] of imeis.entries()) {
      const frame = sampleFrame(device, firstRecord + n, recordsPerFrame);
      const handled = teltonika.handle({ deviceId }, frame, receivedAt);
      if (handled.kind !== 'accepted') throw new Error(`a frame was refused: ${handled.message}`);
      const { appends: [append] } = frameEntries(handled, { ...context, deviceId, frame });
      if (append === undefined) throw new Error('a frame without an append');
      yield { device, records: handled.records, append };
    }
  }
}
