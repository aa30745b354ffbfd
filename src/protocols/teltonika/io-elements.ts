/**
 * Every I/O element that has a name, and the reading of their values. What is not in the tables is kept raw under
 * `io<ID>`, so that nothing a device sends is dropped. Nothing here throws on any bytes.
 */
import type { AttributeValue } from '../../shared/model.ts';
import { BLUETOOTH_ELEMENTS } from './io-elements/bluetooth.ts';
import { CAN_ELEMENTS } from './io-elements/can.ts';
import { CAN_FLAG_ELEMENTS } from './io-elements/can-flags.ts';
import type { IoElement, IoWidth } from './io-elements/element.ts';
import { EVENTUAL_ELEMENTS } from './io-elements/eventual.ts';
import { OBD_ELEMENTS } from './io-elements/obd.ts';
import { PERMANENT_ELEMENTS } from './io-elements/permanent.ts';

export const IO_ELEMENTS: readonly IoElement[] = [
  ...PERMANENT_ELEMENTS,
  ...EVENTUAL_ELEMENTS,
  ...OBD_ELEMENTS,
  ...CAN_ELEMENTS,
  ...CAN_FLAG_ELEMENTS,
  ...BLUETOOTH_ELEMENTS,
];

/** An element of 1, 2 or 4 bytes as the reader wants it: every field set, so that all of them have one shape. */
export interface NumberElement {
  readonly name: string;
  readonly isFlag: boolean;
  readonly isSigned: boolean;
  /** Bits to shift left and back for the sign. */
  readonly signShift: number;
  /** One of the two is 1: dividing by 10 gives 0.3 where multiplying by 0.1 gives 0.30000000000000004. */
  readonly multiplier: number;
  readonly divisor: number;
  readonly min: number;
  readonly max: number;
  readonly errorCodes: readonly number[];
}

/** Index: element id. */
export type NumberElements = readonly (NumberElement | undefined)[];

const LAST_ID = Math.max(...IO_ELEMENTS.map(({ id }) => id));

export const ONE_BYTE_ELEMENTS: NumberElements = numberElements(IO_ELEMENTS, 1);
export const TWO_BYTE_ELEMENTS: NumberElements = numberElements(IO_ELEMENTS, 2);
export const FOUR_BYTE_ELEMENTS: NumberElements = numberElements(IO_ELEMENTS, 4);
export const EIGHT_BYTE_ELEMENTS: ReadonlyMap<number, IoElement> = elementsById(8);
export const VARIABLE_ELEMENTS: ReadonlyMap<number, IoElement> = elementsById('variable');

const rawNames: (string | undefined)[] = Array.from({ length: LAST_ID + 1 }, (_, id) => `io${id}`);

/** The attribute of an element without a name. */
export function rawName(id: number): string {
  return rawNames[id] ?? `io${id}`;
}

/** False for the vendor's error codes: they are no measurement, and stay raw. */
export function isMeasurement(element: NumberElement, integer: number): boolean {
  return integer >= element.min && integer <= element.max
    && (element.errorCodes.length === 0 || !element.errorCodes.includes(integer));
}

/** The unsigned integer of the wire with the element's sign. */
export function signedInteger(element: NumberElement, raw: number): number {
  return element.isSigned ? (raw << element.signShift) >> element.signShift : raw;
}

/** The integer as the attribute's value: scaled, or a boolean. */
export function attributeValue(element: NumberElement, integer: number): number | boolean {
  if (element.isFlag) return integer !== 0;
  if (element.divisor !== 1) return integer / element.divisor;
  return integer * element.multiplier;
}

/** An unsigned integer of 8 bytes: a number up to 2^53−1, a bigint above. */
export function unsigned64(bytes: Buffer): number | bigint {
  const high = bytes.readUInt32BE(0);
  return high < 0x200000 ? high * 0x1_0000_0000 + bytes.readUInt32BE(4) : bytes.readBigUInt64BE(0);
}

/** The value of an element of 8 bytes; an identifier of zeros is none, and stays raw. */
export function eightByteValue(element: IoElement | undefined, bytes: Buffer): AttributeValue | undefined {
  if (element === undefined) return undefined;
  switch (element.kind) {
    case 'hex': return hex(bytes);
    case 'ibutton': return bytes.every((byte) => byte === 0) ? undefined : hex(Buffer.from(bytes).reverse());
    case 'decimal': return bytes.readBigUInt64BE(0).toString();
    default: return unsigned64(bytes);
  }
}

/** Two upper-case digits a byte. */
export function hex(bytes: Buffer): string {
  return bytes.toString('hex').toUpperCase();
}

/** The rows of `table` that have this width, by id. */
export function numberElements(table: readonly IoElement[], bytes: 1 | 2 | 4): NumberElements {
  const rows = table.filter((element) => element.bytes === bytes);
  const lastId = Math.max(...rows.map(({ id }) => id));
  const byId: (NumberElement | undefined)[] = Array.from({ length: lastId + 1 }, () => undefined);
  for (const row of rows) byId[row.id] = numberElement(row, bytes);
  return byId;
}

function numberElement(element: IoElement, bytes: 1 | 2 | 4): NumberElement {
  const [min, max] = element.range ?? [-Infinity, Infinity];
  return {
    name: element.name,
    isFlag: element.kind === 'boolean',
    isSigned: element.signed,
    signShift: 32 - 8 * bytes,
    multiplier: element.scale < 1 ? 1 : element.scale,
    divisor: element.scale < 1 ? Math.round(1 / element.scale) : 1,
    min,
    max,
    errorCodes: element.errorCodes ?? [],
  };
}

function elementsById(bytes: IoWidth): ReadonlyMap<number, IoElement> {
  return new Map(IO_ELEMENTS.filter((element) => element.bytes === bytes).map((element) => [element.id, element]));
}
