/** A record such as a Teltonika tracker sends: twelve I/O elements. */
import type { AttributeValue, TelemetryRecord } from '../../src/shared/model.ts';

export function sampleRecord(ts: number): TelemetryRecord {
  const attributes = new Map<string, AttributeValue>([
    ['ignition', true], ['motion', true], ['rssi', 4], ['gnssStatus', 1], ['sleepMode', 0], ['batteryLevel', 97],
    ['power', 12.5], ['battery', 4.05], ['pdop', 1.8], ['gnssSpeed', 50], ['odometer', 428_724_218], ['operator', 26_202],
  ]);
  return {
    ts, latitude: 52.5200066, longitude: 13.4049540, altitude: 34, course: 90, speed: 50, satellites: 9, hdop: 0.9,
    valid: true, priority: 0, eventId: 0, attributes,
  };
}
