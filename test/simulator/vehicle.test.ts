import { describe, expect, it } from 'vitest';
import { teltonika } from '../../src/protocols/teltonika/index.ts';
import { encodeAvlFrame } from '../../src/protocols/teltonika/encode.ts';
import type { AvlCodec } from '../../src/protocols/teltonika/encode.ts';
import type { TelemetryRecord } from '../../src/shared/model.ts';
import { fleetImeis } from '../../src/simulator/imei.ts';
import type { Vehicle } from '../../src/simulator/vehicle.ts';
import { createVehicle, IGNITION_EVENT_ID, vehicleMotion, vehicleRecord } from '../../src/simulator/vehicle.ts';

const NOW = Date.UTC(2026, 5, 1, 12);
const vehicles = fleetImeis(1, 50, '35630700').map((imei) => createVehicle(imei));

function decoded(vehicle: Vehicle, ts: number, eventId: number, codec: AvlCodec = '8'): TelemetryRecord {
  const frame = encodeAvlFrame([vehicleRecord(vehicle, ts, eventId)], codec);
  const [event] = teltonika.createFramer().push(frame);
  if (event?.kind !== 'frame') throw new Error(`no frame: ${event?.kind}`);
  const handled = teltonika.handle({ deviceId: vehicle.imei }, event.bytes, NOW);
  if (handled.kind !== 'accepted') throw new Error(handled.message);
  return handled.records[0]!;
}

describe('vehicleRecord', () => {
  it('makes the same record again', () => {
    const again = createVehicle(vehicles[0]!.imei);
    expect(vehicleRecord(again, NOW, 0)).toEqual(vehicleRecord(vehicles[0]!, NOW, 0));
  });

  it.each(['8', '8E', '16'] as const)('is what a server reads in codec %s', (codec) => {
    for (const vehicle of vehicles) {
      const motion = vehicleMotion(vehicle, NOW);
      const record = decoded(vehicle, NOW, 0, codec);
      expect(record).toMatchObject({ ts: NOW, valid: true, eventId: 0, priority: 0 });
      expect(record.latitude).toBeCloseTo(motion.latitude, 6);
      expect(record.longitude).toBeCloseTo(motion.longitude, 6);
      expect(record.speed).toBe(Math.round(motion.speedKph));
      expect(record.satellites).toBeGreaterThanOrEqual(8);
      expect(record.attributes.get('ignition')).toBe(motion.ignition);
      expect(record.attributes.get('motion')).toBe(motion.moving);
      expect(record.hdop ?? record.attributes.get('hdop')).toBeGreaterThanOrEqual(0.6);
    }
  });

  it('has supply, battery and odometer in the range of vans and lorries', () => {
    for (const vehicle of vehicles) {
      const { attributes } = decoded(vehicle, NOW, 0);
      const power = Number(attributes.get('power'));
      expect(power > 12 && power < 15 || power > 24 && power < 30).toBe(true);
      expect(attributes.get('battery')).toBeGreaterThan(3.9);
      expect(attributes.get('odometer')).toBeGreaterThan(20_000_000);
      expect(attributes.get('odometer')).toBeLessThan(2_000_000_000);
    }
  });

  it('counts on the odometer what lies between two records', () => {
    const vehicle = vehicles[0]!;
    for (let minute = 0; minute < 240; minute += 1) {
      const [before, after] = [NOW + minute * 60_000, NOW + (minute + 1) * 60_000].map((ts) => decoded(vehicle, ts, 0));
      const driven = Number(after!.attributes.get('odometer')) - Number(before!.attributes.get('odometer'));
      expect(driven).toBeGreaterThanOrEqual(0);
      expect(driven).toBeLessThan(2_000);
    }
  });

  it('makes an event of the ignition with high priority and the same position', () => {
    const vehicle = vehicles[3]!;
    const event = decoded(vehicle, NOW, IGNITION_EVENT_ID);
    expect(event).toMatchObject({ eventId: IGNITION_EVENT_ID, priority: 1 });
    expect(event.latitude).toBe(decoded(vehicle, NOW, 0).latitude);
  });

  it('can be made of any time', () => {
    for (const ts of [0, Date.UTC(2025, 0, 1), Date.UTC(2026, 0, 1), Date.UTC(2040, 0, 1)]) {
      expect(decoded(vehicles[1]!, ts, 0).ts).toBe(ts);
    }
  });
});

describe('a fleet', () => {
  it('spreads over the map, most of it on the move', () => {
    const motions = fleetImeis(2, 1_000, '35630700').map((imei) => vehicleMotion(createVehicle(imei), NOW));
    expect(motions.filter(({ moving }) => moving).length).toBeGreaterThan(600);
    expect(new Set(motions.map(({ latitude }) => latitude.toFixed(2))).size).toBeGreaterThan(100);
  });
});
