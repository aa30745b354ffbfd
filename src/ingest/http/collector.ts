/**
 * Collects the records of a request that may be kept, by device, until they are taken as entries for the stream. An
 * entry is like a frame of a tracker: records of one device in their order, bounded in number and bytes. Touches no
 * stream.
 */
import { isUtf8 } from 'node:buffer';
import { entryFields, partitionOf, telemetryStream } from '../../shared/contracts/telemetry-stream.ts';
import type { RecordReason } from '../../shared/record-reasons.ts';
import { RECORD_REASONS } from '../../shared/record-reasons.ts';
import type { StreamAppend } from '../entries.ts';
import { jsonFault } from './json-fault.ts';
import type { Line } from './lines.ts';
import type { RecordFault, RecordLimits } from './record.ts';
import { checkRecord, isFault } from './record.ts';
import type { ReportBuilder } from './report.ts';

export const PROTOCOL = 'http';

/** As many as a frame of Teltonika may have. */
const MAX_ENTRY_RECORDS = 255;
/** As long as a frame may be: INGEST_MAX_FRAME_BYTES is 64 KiB. One record may be longer and is alone then. */
const MAX_ENTRY_CHARACTERS = 64 * 1024;

interface CollectorOptions {
  readonly limits: Omit<RecordLimits, 'now'>;
  readonly partitions: number;
  /** Why a device may not write here; null: it may. Asked once for each device between two `take`s. */
  readonly refusalOf: (deviceId: string) => RecordReason | null;
  readonly report: ReportBuilder;
}

/** What was collected, with how many records it holds. */
export interface Taken {
  readonly appends: readonly StreamAppend[];
  readonly records: number;
}

interface DeviceRecords {
  readonly refusal: RecordFault | null;
  /** Entries in the making: their encoded records, the last one not full. */
  readonly entries: string[][];
  characters: number;
}

function refused(reason: RecordReason): RecordFault {
  return { reason, field: 'deviceId', message: RECORD_REASONS[reason] };
}

function broken(message: string): RecordFault {
  return { reason: 'malformed_json', field: '', message };
}

export class Collector {
  readonly #options: CollectorOptions;
  #devices = new Map<string, DeviceRecords>();
  #records = 0;
  #limits: RecordLimits;

  constructor(options: CollectorOptions) {
    this.#options = options;
    this.#limits = { ...options.limits, now: Date.now() };
  }

  /** Records that wait to be taken. */
  get records(): number {
    return this.#records;
  }

  add(parsed: unknown, index: number): void {
    const checked = checkRecord(parsed, this.#limits);
    if (isFault(checked)) {
      this.#options.report.reject(index, checked);
      return;
    }
    const device = this.#deviceOf(checked.deviceId);
    if (device.refusal === null) this.#put(device, checked.json);
    else this.#options.report.reject(index, device.refusal);
  }

  /** A line of an NDJSON stream; a blank one is none. */
  addLine(line: Line, index: number): void {
    const { report, limits } = this.#options;
    if (line.kind === 'too_long') {
      report.reject(index, { reason: 'record_too_large', field: '', message: `longer than ${limits.maxRecordBytes} bytes` });
      return;
    }
    if (line.bytes.length === 0) return;
    const parsed = parse(line.bytes);
    if ('value' in parsed) this.add(parsed.value, index);
    else report.reject(index, parsed);
  }

  /** All that was collected, in order for each device; it is the caller's now. */
  take(): Taken {
    const { partitions } = this.#options;
    const receivedAt = Date.now();
    const appends: StreamAppend[] = [];
    for (const [deviceId, { entries }] of this.#devices) {
      const stream = telemetryStream(partitionOf(deviceId, partitions));
      for (const encoded of entries) {
        appends.push({ stream, fields: entryFields({ deviceId, protocol: PROTOCOL, receivedAt }, encoded) });
      }
    }
    const records = this.#records;
    this.#devices = new Map();
    this.#records = 0;
    this.#limits = { ...this.#options.limits, now: receivedAt };
    return { appends, records };
  }

  #deviceOf(deviceId: string): DeviceRecords {
    const known = this.#devices.get(deviceId);
    if (known !== undefined) return known;
    const reason = this.#options.refusalOf(deviceId);
    const device = { refusal: reason === null ? null : refused(reason), entries: [], characters: 0 };
    this.#devices.set(deviceId, device);
    return device;
  }

  #put(device: DeviceRecords, json: string): void {
    const last = device.entries.at(-1);
    this.#records += 1;
    const isTooLong = device.characters + json.length > MAX_ENTRY_CHARACTERS;
    if (last === undefined || last.length >= MAX_ENTRY_RECORDS || isTooLong) {
      device.entries.push([json]);
      device.characters = json.length;
      return;
    }
    last.push(json);
    device.characters += json.length;
  }
}

/** JSON.parse would take bytes that are no text for text with replacement characters. */
function parse(bytes: Buffer): { readonly value: unknown } | RecordFault {
  if (!isUtf8(bytes)) return broken('expected UTF-8');
  try {
    return { value: JSON.parse(bytes.toString()) as unknown };
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error;
    const { column } = jsonFault(bytes.toString());
    return broken(`not JSON from column ${column} on`);
  }
}
