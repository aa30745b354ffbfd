/**
 * A position as viewers see it. The attributes go through as the JSON that came off the stream, after a look that they
 * are JSON: nothing is converted or rounded.
 */
import type { StoredRecord } from '../../shared/contracts/record-fields.ts';

/** A record of a device with its attributes as text: what is kept of the newest one, without the bytes it came in. */
export interface LivePosition extends Omit<StoredRecord, 'attributesJson'> {
  readonly deviceId: string;
  /** Epoch milliseconds. */
  readonly receivedAt: number;
  /** JSON. */
  readonly attributes: string;
}

/** Whether a is the later record of a device. */
export function isNewer(
  a: Pick<LivePosition, 'ts' | 'eventId'>,
  b: Pick<LivePosition, 'ts' | 'eventId'>,
): boolean {
  return a.ts === b.ts ? a.eventId > b.eventId : a.ts > b.ts;
}

export function hasPlace({ latitude, longitude }: Pick<LivePosition, 'latitude' | 'longitude'>): boolean {
  return latitude !== null && longitude !== null;
}

/** @returns undefined where the attributes are not a JSON object: the database will not take them either */
export function livePosition(deviceId: string, receivedAt: number, stored: StoredRecord): LivePosition | undefined {
  const { attributesJson, ...record } = stored;
  const attributes = attributesJson.toString();
  try {
    JSON.parse(attributes);
  } catch {
    return undefined;
  }
  return { deviceId, receivedAt, ...record, attributes };
}

function jsonOf(record: LivePosition, place: LivePosition, rest: string): string {
  return (
    `{"deviceId":${JSON.stringify(record.deviceId)},"ts":${record.ts},"receivedAt":${record.receivedAt},` +
    `"latitude":${place.latitude},"longitude":${place.longitude},"altitude":${place.altitude},"course":${place.course},` +
    `"speed":${place.speed},"satellites":${place.satellites},"hdop":${place.hdop},"valid":${record.valid},` +
    `"priority":${record.priority},"eventId":${record.eventId},"attributes":${record.attributes}${rest}}`
  );
}

export function positionJson(position: LivePosition): string {
  return jsonOf(position, position, '');
}

/** The newest record of a device at the last known place, with the time of that. */
export function snapshotJson(newest: LivePosition, place: LivePosition | null): string {
  return jsonOf(newest, place ?? newest, `,"fixTs":${place?.ts ?? null}`);
}
