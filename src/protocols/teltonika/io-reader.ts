/**
 * The I/O element groups of an AVL record as attributes. Every element becomes at least one attribute: its name from
 * the tables, or `io<ID>` where it has none, its value is an error code, or the name is taken in this record. A read
 * past the end throws a TruncatedError.
 *
 * Source: Teltonika wiki, "Teltonika Data Sending Protocols".
 */
import { ByteReader } from '../../shared/byte-reader.ts';
import type { AttributeValue } from '../../shared/model.ts';
import { textOrBytes } from '../../shared/text.ts';
import { freeName } from '../free-name.ts';
import type { AvlLayout } from './avl-layout.ts';
import { readBeacons, readTags } from './beacons.ts';
import type { NamedValue } from './beacons.ts';
import {
  EIGHT_BYTE_ELEMENTS, FOUR_BYTE_ELEMENTS, ONE_BYTE_ELEMENTS, TWO_BYTE_ELEMENTS, VARIABLE_ELEMENTS,
  attributeValue, eightByteValue, hex, isMeasurement, rawName, signedInteger, unsigned64,
} from './io-elements.ts';
import type { NumberElements } from './io-elements.ts';

export type MutableAttributes = Map<string, AttributeValue>;

// N1 of one byte IO, N1 × (id, value 1) | N2 of two bytes IO, … | N4 … | N8 … | N16 … (a variant of codec 8)
// | NX of X bytes IO, NX × (id 2, length 2, value) (8 Extended)
/** Reads all groups into `attributes`, which is empty; returns the number of elements. */
export function readIo(reader: ByteReader, layout: AvlLayout, attributes: MutableAttributes): number {
  const start = reader.offset;
  let count = readFixedWidths(reader, layout, attributes, false);
  if (attributes.size !== count) {
    // Two elements share a name. Rare: so names are not checked one by one until it happens.
    attributes.clear();
    readFixedWidths(new ByteReader(reader.bytes, start, reader.offset), layout, attributes, true);
  }
  if (layout.hasSixteenByteGroup) count += readSixteenByteGroup(reader, layout, attributes);
  if (layout.hasVariableGroup) count += readVariableGroup(reader, attributes);
  return count;
}

function readFixedWidths(
  reader: ByteReader, layout: AvlLayout, attributes: MutableAttributes, checkNames: boolean,
): number {
  return readNumbers(reader, layout, 1, ONE_BYTE_ELEMENTS, attributes, checkNames)
    + readNumbers(reader, layout, 2, TWO_BYTE_ELEMENTS, attributes, checkNames)
    + readNumbers(reader, layout, 4, FOUR_BYTE_ELEMENTS, attributes, checkNames)
    + readEightByteGroup(reader, layout, attributes);
}

/** A group of 1, 2 or 4 bytes; returns its count. */
export function readNumbers(
  reader: ByteReader, layout: Pick<AvlLayout, 'idBytes' | 'countBytes'>, width: 1 | 2 | 4, elements: NumberElements,
  attributes: MutableAttributes, checkNames: boolean,
): number {
  const count = readCount(reader, layout);
  for (let index = 0; index < count; index += 1) {
    const id = readId(reader, layout);
    const raw = width === 1 ? reader.u8() : width === 2 ? reader.u16() : reader.u32();
    const element = id < elements.length ? elements[id] : undefined;
    let name = rawName(id);
    let value: AttributeValue = raw;
    if (element !== undefined) {
      const integer = signedInteger(element, raw);
      if (isMeasurement(element, integer)) {
        name = element.name;
        value = attributeValue(element, integer);
      }
    }
    if (checkNames && attributes.has(name)) set(attributes, name, id, value, raw);
    else attributes.set(name, value);
  }
  return count;
}

function readEightByteGroup(reader: ByteReader, layout: AvlLayout, attributes: MutableAttributes): number {
  const count = readCount(reader, layout);
  for (let index = 0; index < count; index += 1) {
    const id = readId(reader, layout);
    const bytes = reader.take(8);
    const element = EIGHT_BYTE_ELEMENTS.get(id);
    const value = eightByteValue(element, bytes);
    const raw = unsigned64(bytes);
    set(attributes, value === undefined ? undefined : element?.name, id, value ?? raw, raw);
  }
  return count;
}

function readSixteenByteGroup(reader: ByteReader, layout: AvlLayout, attributes: MutableAttributes): number {
  const count = readCount(reader, layout);
  for (let index = 0; index < count; index += 1) {
    const id = readId(reader, layout);
    const bytes = Buffer.from(reader.take(16));
    set(attributes, undefined, id, bytes, bytes);
  }
  return count;
}

function readVariableGroup(reader: ByteReader, attributes: MutableAttributes): number {
  const count = reader.u16();
  const last = { beacon: 0, tag: 0 };
  for (let index = 0; index < count; index += 1) {
    const id = reader.u16();
    setVariable(attributes, id, Buffer.from(reader.take(reader.u16())), last);
  }
  return count;
}

/** Lists of one record are numbered through: the highest number of each kind so far. */
interface LastNumbers {
  beacon: number;
  tag: number;
}

function setVariable(attributes: MutableAttributes, id: number, bytes: Buffer, last: LastNumbers): void {
  const element = VARIABLE_ELEMENTS.get(id);
  switch (element?.kind) {
    case 'text': return set(attributes, element.name, id, textOrBytes(bytes), bytes);
    case 'bytes': return set(attributes, element.name, id, bytes, bytes);
    case 'hex': return set(attributes, element.name, id, hex(bytes), bytes);
    case 'beacons': return setList(attributes, id, readBeacons(bytes, last.beacon + 1), bytes, last);
    case 'tags': return setList(attributes, id, readTags(bytes, last.tag + 1), bytes, last);
    default: return set(attributes, undefined, id, bytes, bytes);
  }
}

function setList(
  attributes: MutableAttributes, id: number, values: readonly NamedValue[] | null, raw: Buffer, last: LastNumbers,
): void {
  if (values === null || values.length === 0) return set(attributes, undefined, id, raw, raw);
  for (const [name, value] of values) {
    countName(name, last);
    set(attributes, name, id, value, value);
  }
}

function countName(name: string, last: LastNumbers): void {
  const [, kind, number] = /^(beacon|tag)(\d+)/.exec(name) ?? [];
  if (kind === 'beacon' || kind === 'tag') last[kind] = Math.max(last[kind], Number(number));
}

/** Sets `name`; where it is missing or taken, `raw` under `io<ID>`, or `io<ID>_2` and so on where that is taken. */
function set(
  attributes: MutableAttributes, name: string | undefined, id: number, value: AttributeValue, raw: AttributeValue,
): void {
  if (name !== undefined && !attributes.has(name)) attributes.set(name, value);
  else attributes.set(freeName(attributes, rawName(id)), raw);
}

function readCount(reader: ByteReader, layout: Pick<AvlLayout, 'countBytes'>): number {
  return layout.countBytes === 1 ? reader.u8() : reader.u16();
}

function readId(reader: ByteReader, layout: Pick<AvlLayout, 'idBytes'>): number {
  return layout.idBytes === 1 ? reader.u8() : reader.u16();
}
