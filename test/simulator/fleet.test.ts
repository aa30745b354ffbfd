import { describe, expect, it } from 'vitest';
import { createVehicles } from '../../src/simulator/fleet.ts';
import { vehicleMotion } from '../../src/simulator/vehicle.ts';

const NOW = Date.UTC(2026, 5, 1, 12);
const positions = (seed: number, devices: number): unknown[] =>
  createVehicles({ seed, devices, imeiPrefix: '35630700' }).map((vehicle) => [vehicle.imei, vehicleMotion(vehicle, NOW)]);

describe('createVehicles', () => {
  it('gives the same trackers on the same routes for the same seed', () => {
    expect(positions(1, 20)).toEqual(positions(1, 20));
    expect(positions(1, 20)).not.toEqual(positions(2, 20));
  });

  it('adds trackers to a fleet without changing the others', () => {
    expect(positions(1, 40).slice(0, 20)).toEqual(positions(1, 20));
  });
});
