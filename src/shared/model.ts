/**
 * The record model: one record is one sample of a tracker (when, where, and named values).
 *
 * Units, everywhere inside Odograph: times in epoch milliseconds, speed in km/h, course in degrees clockwise from
 * north, altitude in metres, coordinates in WGS84 degrees. `null` means that the device did not say; a missing fix is
 * never written as 0,0.
 */

/** A value that a device reported. Integers beyond ±(2^53−1) are bigint, byte strings Buffer; numbers are finite. */
export type AttributeValue = number | bigint | boolean | string | Buffer;

/**
 * Attribute name → value, in the order the device sent them. A Map, so that a name such as `__proto__` is a name like
 * any other.
 */
export type Attributes = ReadonlyMap<string, AttributeValue>;

/** What a protocol decodes from one sample, before ingest adds whose it is and when it came. */
export interface TelemetryRecord {
  /** Time of the sample by the device's clock, epoch milliseconds. */
  readonly ts: number;
  readonly latitude: number | null;
  readonly longitude: number | null;
  readonly altitude: number | null;
  readonly course: number | null;
  readonly speed: number | null;
  readonly satellites: number | null;
  readonly hdop: number | null;
  /** The device says that it had a fix. */
  readonly valid: boolean;
  /** 0 where the protocol has none. */
  readonly priority: number;
  /** 0 where the protocol has none. Part of the key `(device, ts, eventId)`. */
  readonly eventId: number;
  readonly attributes: Attributes;
}

/** One record with its owner and its time of receipt: what is stored and what viewers see. */
export interface Position extends TelemetryRecord {
  /** The tracker's own identifier: its IMEI, or what the protocol uses instead. */
  readonly deviceId: string;
  /** When ingest read the frame, epoch milliseconds. */
  readonly receivedAt: number;
}

/** What one frame brought: the unit that a tracker resends, and so the unit that is appended to the stream. */
export interface TelemetryFrame {
  readonly deviceId: string;
  readonly protocol: string;
  /** When ingest read the frame, epoch milliseconds. */
  readonly receivedAt: number;
  readonly records: readonly TelemetryRecord[];
}
