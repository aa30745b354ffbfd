/** What a file holds, whatever its format: records as `POST /v1/records` takes them, and what could not be made one. */

/** Fields as the API names them. */
export type Fields = Record<string, unknown>;

export interface Unreadable {
  readonly reason: string;
  readonly field: string;
  readonly message: string;
}

export type Item =
  | { readonly kind: 'record'; readonly at: number; readonly record: Fields }
  /** `at` is the line, or the number of the element, from 1; `text` what stood there. */
  | { readonly kind: 'unreadable'; readonly at: number; readonly fault: Unreadable; readonly text: string };

/** What a format needs to know beside the bytes. */
export interface ReadOptions {
  /** Of files that do not say whose they are; wins over what they say. */
  readonly deviceId: string | null;
  /** Columns or properties by name → field of a record, `attributes.NAME`, or `-`: left out. */
  readonly mapping: ReadonlyMap<string, string>;
  /** Traccar's numbers of devices → identifiers. */
  readonly devices: ReadonlyMap<string, string>;
  readonly time: TimeOptions;
  /** km/h of one unit of a speed that does not say its unit. */
  readonly speedFactor: number;
}

export type DateOrder = 'ymd' | 'dmy' | 'mdy';

export interface TimeOptions {
  /** IANA name of the zone of times that do not say theirs. */
  readonly zone: string;
  readonly order: DateOrder;
}

/** Reads a file in parts, in its order. @throws Error where the file as a whole is not the format */
export type Reader = (
  bytes: AsyncIterable<Buffer>, options: ReadOptions,
) => AsyncGenerator<readonly Item[], void, undefined>;

export function unreadable(at: number, text: string, field: string, message: string): Item {
  return { kind: 'unreadable', at, fault: { reason: 'bad_field', field, message }, text };
}
