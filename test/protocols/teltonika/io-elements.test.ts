import { describe, expect, it } from 'vitest';
import { IO_ELEMENTS } from '../../../src/protocols/teltonika/io-elements.ts';

/** One quantity that OBD and a CAN adapter both report: whichever a device has. */
const SHARED_NAMES = ['engineLoad', 'fuelLevel', 'obdOdometer', 'obdSpeed', 'rpm', 'throttle', 'vin'];

function repeated(values: readonly string[]): string[] {
  return [...new Set(values.filter((value, index) => values.indexOf(value) !== index))].sort();
}

describe('the table of I/O elements', () => {
  it('has more than 400 rows', () => {
    expect(IO_ELEMENTS.length).toBeGreaterThan(400);
  });

  it('has an id once in each width', () => {
    expect(repeated(IO_ELEMENTS.map(({ id, bytes }) => `${id}/${bytes}`))).toEqual([]);
  });

  it('has a name once but for quantities that two sources report', () => {
    const names = new Map(IO_ELEMENTS.map(({ id, name }) => [`${name} ${id}`, name]));
    expect(repeated([...names.values()])).toEqual(SHARED_NAMES);
  });

  it('gives one name one meaning: the same unit wherever it stands', () => {
    for (const name of SHARED_NAMES) {
      const units = IO_ELEMENTS.filter((element) => element.name === name).map(({ unit }) => unit);
      expect(new Set(units).size, name).toBe(1);
    }
  });

  it('has names in camel case that no attribute of another origin has', () => {
    for (const { name } of IO_ELEMENTS) {
      expect(name).toMatch(/^[a-z][A-Za-z0-9]*$/);
      expect(name).not.toMatch(/^io\d|^(alarm|generationType|angle|result|command|message\w*|beacon\d\w*|tag\d\w*)$/);
    }
  });

  it('has scales that are whole numbers or fractions of one', () => {
    for (const { name, scale } of IO_ELEMENTS) {
      expect(Number.isInteger(scale) || Number.isInteger(Math.round(1 / scale)), name).toBe(true);
      expect(scale < 1 ? 1 / Math.round(1 / scale) : scale).toBeCloseTo(scale, 12);
    }
  });
});
