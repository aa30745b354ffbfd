/**
 * A record while a message is being read. A field with a value that it cannot have is a `FieldError`; together with
 * `TruncatedError` it is caught in `decode.ts` and nowhere else.
 */
import type { ByteReader } from '../../shared/byte-reader.ts';
import type { AttributeValue, TelemetryRecord } from '../../shared/model.ts';

/** Reads one information content into a record. Throws `TruncatedError` or `FieldError`; may leave bytes unread. */
export type Decode = (content: ByteReader, record: RecordDraft) => void;

/** A field whose value is impossible, e.g. a month of 13. */
export class FieldError extends Error {
  override readonly name = 'FieldError';
  readonly field: string;

  constructor(field: string, message: string) {
    super(`${field}: ${message}`);
    this.field = field;
  }
}

/** One base station. `signal` as the device sent it, null where the message has none. */
export interface Cell {
  readonly mcc: number;
  readonly mnc: number;
  readonly lac: number;
  readonly cellId: bigint;
  readonly signal: number | null;
}

// Ranges of `eventId`, so that no two kinds of records of one second share a key; README.md has the table.
/** Located packets that are not the periodic one: this and the protocol number. */
const OTHER_PACKET_EVENT = 0x2000;
/** Packets without a fix: the protocol number times this, and the discriminator. */
const UNLOCATED_EVENT = 0x10000;

export class RecordDraft {
  /** How far the device's local time is ahead of UTC; 0 for messages whose times are UTC. */
  readonly zoneOffsetMs: number;
  /** Null until the message says when. */
  ts: number | null = null;
  latitude: number | null = null;
  longitude: number | null = null;
  altitude: number | null = null;
  course: number | null = null;
  speed: number | null = null;
  satellites: number | null = null;
  hdop: number | null = null;
  valid = false;
  /** The message has fields for a fix, filled or not. */
  hasFix = false;
  /** What made a located record: 0 for a periodic one. */
  eventCode = 0;
  readonly attributes = new Map<string, AttributeValue>();
  #cells = 0;
  #accessPoints = 0;
  #tags = 0;

  constructor(zoneOffsetMs: number) {
    this.zoneOffsetMs = zoneOffsetMs;
  }

  set(name: string, value: AttributeValue): void {
    this.attributes.set(name, value);
  }

  /** A message may report several: they are joined by commas, as Traccar's users know them. */
  addAlarm(alarm: string | undefined): void {
    if (alarm === undefined) return;
    const known = this.attributes.get('alarm');
    const alarms = typeof known === 'string' ? known.split(',') : [];
    if (!alarms.includes(alarm)) this.set('alarm', [...alarms, alarm].join(','));
  }

  /** `cell1`, `cell2` … as `mcc,mnc,lac,cellId[,signal]`. An all-zero station is padding. */
  addCell(cell: Cell): void {
    if (cell.lac === 0 && cell.cellId === 0n) return;
    this.#cells += 1;
    const signal = cell.signal === null ? '' : `,${cell.signal}`;
    this.set(`cell${this.#cells}`, `${cell.mcc},${cell.mnc},${cell.lac},${cell.cellId.toString()}${signal}`);
  }

  /** `wifi1`, `wifi2` … as `aa:bb:cc:dd:ee:ff[,signal]`. An all-zero address is padding. */
  addAccessPoint(mac: Buffer, signal: number | null): void {
    if (mac.every((byte) => byte === 0)) return;
    this.#accessPoints += 1;
    const address = mac.toString('hex').replace(/..(?=.)/g, '$&:');
    this.set(`wifi${this.#accessPoints}`, signal === null ? address : `${address},${signal}`);
  }

  /** The number of a further tag: its attributes are `tag1Id`, `tag2Id` and so on. */
  nextTag(): number {
    this.#tags += 1;
    return this.#tags;
  }

  /**
   * `isPeriodic`: this protocol number is the device's regular location packet. `discriminator` (16 bits) tells packets
   * of one number apart that have the same time and no fix.
   */
  finish(type: number, isPeriodic: boolean, discriminator: number, receivedAt: number): TelemetryRecord {
    return {
      ts: this.ts ?? receivedAt,
      latitude: this.latitude,
      longitude: this.longitude,
      altitude: this.altitude,
      course: this.course,
      speed: this.speed,
      satellites: this.satellites,
      hdop: this.hdop,
      valid: this.valid,
      priority: 0,
      eventId: this.#eventId(type, isPeriodic, discriminator),
      attributes: this.attributes,
    };
  }
  #eventId(type: number, isPeriodic: boolean, discriminator: number): number {
    if (!this.hasFix || this.ts === null) return type * UNLOCATED_EVENT + discriminator;
    if (this.eventCode !== 0 || isPeriodic) return this.eventCode;
    return OTHER_PACKET_EVENT + type;
  }
}
