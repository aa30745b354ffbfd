/**
 * What the vehicle's own electronics say: the OBD packet 8C and the battery management packet 40.
 *
 * Sources: FM08ABC, packet 8C; Shenzhen TBIT, "WD-209 GT06 protocol", packet 40.
 */
import type { ByteReader } from '../../shared/byte-reader.ts';
import { isStorableText, textOrBytes } from '../../shared/text.ts';
import { readPlace, readTime } from './fix.ts';
import type { RecordDraft } from './record.ts';

const PLACE_BYTES = 12;
const MS_PER_HOUR = 3_600_000;

/** Parameter number → name and what one unit of the value (0.01 of the parameter's unit) is. */
const PARAMETERS: Readonly<Record<number, readonly [name: string, perUnit: (hundredths: number) => number]>> = {
  0x28: ['odometer', (hundredths) => hundredths * 10], // km → m
  0x2b: ['fuel', (hundredths) => hundredths / 100],
  0x2d: ['coolantTemp', (hundredths) => hundredths / 100],
  0x35: ['obdSpeed', (hundredths) => hundredths / 100],
  0x36: ['rpm', (hundredths) => hundredths / 100],
  0x47: ['fuelUsed', (hundredths) => hundredths / 100],
  0x49: ['hours', (hundredths) => (hundredths / 100) * MS_PER_HOUR],
};

const VIN = 0x4a;

/**
 * 8C. Date and time (6), ACC (1), `nnk=value` joined by commas (number in two hexadecimal digits, kind in one, value in
 * hexadecimal digits), satellites (1), latitude (4), longitude (4), speed (1), course and status (2).
 */
export function readObd(content: ByteReader, record: RecordDraft): void {
  record.ts = readTime(content, record.zoneOffsetMs);
  record.set('ignition', content.u8() > 0);
  const text = content.take(Math.max(0, content.remaining - PLACE_BYTES)).toString('latin1');
  for (const pair of text.split(',')) setParameter(record, pair);
  if (content.remaining === PLACE_BYTES) readPlace(content, record);
}

function setParameter(record: RecordDraft, pair: string): void {
  const [key = '', value = ''] = pair.split('=');
  if (!/^[\da-f]{2}/i.test(key) || value === '') return;
  const id = Number.parseInt(key.slice(0, 2), 16);
  const parameter = PARAMETERS[id];
  const text = isStorableText(value) ? value : Buffer.from(value, 'latin1');
  if (id === VIN) record.set('vin', text);
  else if (!/^[\da-f]{1,12}$/i.test(value)) record.set(`io${id}`, text);
  else if (parameter === undefined) record.set(`io${id}`, Number.parseInt(value, 16));
  else record.set(parameter[0], parameter[1](Number.parseInt(value, 16)));
}

const BATTERY_CELLS = 14;
const TEXT_BYTES = 16;
/** The battery's temperature is in tenths of a kelvin, by the document's conversion. */
const ZERO_CELSIUS_TENTHS = 2731;

/**
 * 40. Serial number (8), unix time (4), relative capacity (1, %), remaining (2), absolute (1), full (2), health (1),
 * temperature (2), current (2), voltage (2, mV), cycles (2), 14 cells (2, mV), charge intervals (2, 2), bar code (16),
 * version (2), maker (16), battery state (4), controller state (4), controller fault (4).
 */
export function readBatteryManagement(content: ByteReader, record: RecordDraft): void {
  record.set('batterySerial', content.hex(8));
  record.ts = content.u32() * 1000;
  record.set('relativeCapacity', content.u8());
  record.set('remainingCapacity', content.u16());
  record.set('absoluteCapacity', content.u8());
  record.set('fullCapacity', content.u16());
  record.set('batteryHealth', content.u8());
  record.set('batteryTemp', (content.u16() - ZERO_CELSIUS_TENTHS) / 10);
  record.set('current', content.u16());
  record.set('battery', content.u16() / 1000);
  record.set('cycleIndex', content.u16());
  for (let cell = 1; cell <= BATTERY_CELLS; cell += 1) record.set(`batteryCell${cell}`, content.u16() / 1000);
  record.set('currentChargeInterval', content.u16());
  record.set('maxChargeInterval', content.u16());
  setText(record, 'barcode', content.take(TEXT_BYTES));
  record.set('batteryVersion', content.u16());
  setText(record, 'manufacturer', content.take(TEXT_BYTES));
  record.set('batteryStatus', content.u32());
  record.set('controllerStatus', content.u32());
  record.set('controllerFault', content.u32());
}

function setText(record: RecordDraft, name: string, bytes: Buffer): void {
  const text = textOrBytes(bytes);
  record.set(name, typeof text === 'string' ? text.trim() : text);
}
