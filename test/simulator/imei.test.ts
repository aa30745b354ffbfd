import { describe, expect, it } from 'vitest';
import { fleetImeis, luhnCheckDigit } from '../../src/simulator/imei.ts';

const isValid = (imei: string): boolean => luhnCheckDigit(imei.slice(0, 14)) === Number(imei[14]);

describe('luhnCheckDigit', () => {
  it('gives the check digits of known IMEIs', () => {
    // The first is the example of 3GPP TS 23.003 annex B, the second the IMEI of the vendor's login example.
    expect(luhnCheckDigit('26053179311383')).toBe(7);
    expect(luhnCheckDigit('35630704244101')).toBe(3);
    expect(luhnCheckDigit('49015420323751')).toBe(8);
  });
});

describe('fleetImeis', () => {
  it('gives different valid IMEIs that begin with the prefix', () => {
    const imeis = fleetImeis(1, 5_000, '35630700');
    expect(new Set(imeis).size).toBe(5_000);
    expect(imeis.every((imei) => /^35630700\d{7}$/.test(imei) && isValid(imei))).toBe(true);
  });

  it('gives the same IMEIs for the same seed, the first ones whatever the size of the fleet', () => {
    expect(fleetImeis(9, 10, '35630700')).toEqual(fleetImeis(9, 100, '35630700').slice(0, 10));
    expect(fleetImeis(9, 10, '35630700')).not.toEqual(fleetImeis(10, 10, '35630700'));
  });

  it('uses up all IMEIs of a prefix', () => {
    expect(new Set(fleetImeis(4, 1_000, '35630700123')).size).toBe(1_000);
    expect(fleetImeis(4, 1, '35630704244101')).toEqual(['356307042441013']);
    expect(fleetImeis(4, 2, '')).toHaveLength(2);
  });

  it('refuses a fleet that the prefix has no room for', () => {
    expect(() => fleetImeis(1, 11, '3563070012345')).toThrow('only 10 IMEIs begin with 3563070012345');
  });
});
