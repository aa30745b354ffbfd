/**
 * What one row of the I/O element tables says, and the short forms in which the tables are written.
 */

/** Bytes of an element in its group; 'variable' is the NX group of codec 8 Extended. */
export type IoWidth = 1 | 2 | 4 | 8 | 'variable';

/**
 * How the bytes become an attribute. `number`: an integer, scaled. `boolean`: not zero. `hex`: an identifier, upper
 * case, two digits a byte. `ibutton`: the same with the bytes in reverse order, as printed on the iButton. `decimal`:
 * decimal digits. `text`, `bytes`: variable length. `beacons`, `tags`: lists that become several attributes.
 */
export type IoKind = 'number' | 'boolean' | 'hex' | 'ibutton' | 'decimal' | 'text' | 'bytes' | 'beacons' | 'tags';

export interface IoElement {
  /** The vendor's property ID in the AVL packet. */
  readonly id: number;
  /** The attribute that it becomes. */
  readonly name: string;
  /** The same id in another width is another family's element: it is kept raw. */
  readonly bytes: IoWidth;
  readonly kind: IoKind;
  readonly signed: boolean;
  /** The value is the integer times this. */
  readonly scale: number;
  /** Of the value, after scaling; empty where it has none. */
  readonly unit: string;
  /** Integers outside are the vendor's error codes, not measurements: they are kept raw. */
  readonly range?: readonly [min: number, max: number];
  /** Further error codes, inside the range. */
  readonly errorCodes?: readonly number[];
}

/** An unsigned integer of 1, 2, 4 or 8 bytes. */
export function unsigned(id: number, bytes: 1 | 2 | 4 | 8, name: string, unit = '', scale = 1): IoElement {
  return { id, name, bytes, kind: 'number', signed: false, scale, unit };
}

/** A two's complement integer of 1, 2 or 4 bytes. */
export function signed(id: number, bytes: 1 | 2 | 4, name: string, unit = '', scale = 1): IoElement {
  return { id, name, bytes, kind: 'number', signed: true, scale, unit };
}

/** True unless zero. */
export function flag(id: number, name: string, bytes: 1 | 2 = 1): IoElement {
  return { id, name, bytes, kind: 'boolean', signed: false, scale: 1, unit: '' };
}

/** An identifier or a bit field of 8 bytes. */
export function identifier(id: number, name: string, kind: 'hex' | 'ibutton' | 'decimal' = 'hex'): IoElement {
  return { id, name, bytes: 8, kind, signed: false, scale: 1, unit: '' };
}

/** A value of variable length. */
export function variable(id: number, name: string, kind: 'text' | 'bytes' | 'hex' | 'beacons' | 'tags'): IoElement {
  return { id, name, bytes: 'variable', kind, signed: false, scale: 1, unit: '' };
}

/** `element` with its documented range; integers outside, and `errorCodes`, are not measurements. */
export function within(
  min: number, max: number, element: IoElement, errorCodes: readonly number[] = [],
): IoElement {
  return { ...element, range: [min, max], errorCodes };
}
