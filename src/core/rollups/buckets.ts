/** Summarises the records of trackers by minute and by hour, and writes rows of the rollup tables. Pure. */
import { ROLLUP_VALUES } from '../../db/rollup-columns.ts';
import type { Kept } from '../../db/rollup-retention.ts';
import { MINUTE_MS, hourOf } from '../../db/rollup-retention.ts';
import { BinaryWriter, FIXED_VALUE_BYTES, jsonbBytes } from '../binary-format.ts';
import { COPY_END, COPY_START } from '../copy-rows.ts';
import { AttributeRollup } from './attributes.ts';
import type { RollupRecord } from './records.ts';

const COLUMNS = 2 + ROLLUP_VALUES.length;
const FIXED_ROW_BYTES = 2 + (COLUMNS - 1) * FIXED_VALUE_BYTES;

/** As PostgreSQL orders them: NaN comes last. */
function isLess(a: number, b: number): boolean {
  return a < b || (Number.isNaN(b) && !Number.isNaN(a));
}

class Field {
  count = 0;
  sum = 0;
  min = 0;
  max = 0;
  first = 0;
  last = 0;

  take(value: number | null): void {
    if (value === null) return;
    if (this.count === 0) {
      this.min = value;
      this.max = value;
      this.first = value;
    } else {
      if (isLess(value, this.min)) this.min = value;
      if (isLess(this.max, value)) this.max = value;
    }
    this.last = value;
    this.sum += value;
    this.count += 1;
  }

  write(writer: BinaryWriter, part: 'float4' | 'int2'): void {
    const { count } = this;
    writer.int4(count);
    writer.float8(count === 0 ? null : this.sum);
    for (const value of [this.min, this.max, this.first, this.last]) writer[part](count === 0 ? null : value);
  }
}

/** What a bucket has beside its attributes. */
class Bucket {
  readonly deviceId: number;
  /** Epoch milliseconds. */
  readonly start: number;
  #records = 0;
  readonly #speed = new Field();
  readonly #altitude = new Field();
  readonly #hdop = new Field();
  readonly #satellites = new Field();
  /** Latitude and longitude of the first place, and of the last. */
  #first: readonly [number | null, number | null] = [null, null];
  #latitude: number | null = null;
  #longitude: number | null = null;

  constructor(deviceId: number, start: number) {
    this.deviceId = deviceId;
    this.start = start;
  }

  take({ speed, altitude, hdop, satellites, latitude, longitude }: RollupRecord): void {
    this.#records += 1;
    this.#speed.take(speed);
    this.#altitude.take(altitude);
    this.#hdop.take(hdop);
    this.#satellites.take(satellites);
    if (latitude === null || longitude === null) return;
    if (this.#latitude === null) this.#first = [latitude, longitude];
    this.#latitude = latitude;
    this.#longitude = longitude;
  }

  /** A row for COPY, with the columns `device_id`, `bucket` and ROLLUP_VALUES. */
  row(attributes: string): Buffer {
    const json = Buffer.from(attributes);
    const writer = new BinaryWriter(Buffer.allocUnsafe(FIXED_ROW_BYTES + jsonbBytes(json)));
    writer.rawInt16(COLUMNS);
    writer.int8(this.deviceId);
    writer.timestamptz(this.start);
    writer.int4(this.#records);
    this.#speed.write(writer, 'float4');
    this.#altitude.write(writer, 'float4');
    this.#hdop.write(writer, 'float4');
    this.#satellites.write(writer, 'int2');
    for (const coordinate of [...this.#first, this.#latitude, this.#longitude]) writer.float8(coordinate);
    writer.jsonb(json);
    return writer.finish();
  }
}

/** Of memory: rows of some hours, and names of attributes, each of which takes about a kilobyte. */
const MAX_ROW_BYTES = 32 * 1024 * 1024;
const MAX_NAMES = 8_192;

/** Takes records tracker by tracker and hour by hour, each hour in its order. Memory is bounded. */
export class Buckets {
  #rowBytes = 0;
  readonly #minutes: Buffer[] = [];
  readonly #hours: Buffer[] = [];
  readonly #attributes = new AttributeRollup();
  readonly #kept: Pick<Kept, 'minutes' | 'hours'>;
  #minute: Bucket | null = null;
  #hour: Bucket | null = null;

  /** @param kept what is older makes no row */
  constructor(kept: Pick<Kept, 'minutes' | 'hours'>) {
    this.#kept = kept;
  }

  /** It is more than fits into memory: nothing is taken any more, and what was taken is of no use. */
  get areFull(): boolean {
    return this.#rowBytes > MAX_ROW_BYTES || this.#attributes.names > MAX_NAMES;
  }

  readonly take = (record: RollupRecord): void => {
    if (this.areFull) return;
    const { deviceId, ts } = record;
    const start = Math.floor(ts / MINUTE_MS) * MINUTE_MS;
    if (this.#minute?.start !== start || this.#minute.deviceId !== deviceId) this.#open(deviceId, start);
    this.#minute?.take(record);
    this.#hour?.take(record);
    this.#attributes.take(record.attributes, record.attributesFrom, record.attributesTo);
  };

  /** What was taken, as complete COPY streams of rows of both tables. */
  finish(): { readonly minutes: Buffer; readonly hours: Buffer } {
    this.#closeHour();
    const stream = (rows: readonly Buffer[]): Buffer => Buffer.concat([COPY_START, ...rows, COPY_END]);
    return { minutes: stream(this.#minutes), hours: stream(this.#hours) };
  }

  #open(deviceId: number, start: number): void {
    this.#closeMinute();
    const hour = hourOf(start);
    if (this.#hour?.start !== hour || this.#hour.deviceId !== deviceId) {
      this.#closeHour();
      this.#hour = new Bucket(deviceId, hour);
    }
    this.#minute = new Bucket(deviceId, start);
  }

  #closeMinute(): void {
    const minute = this.#minute;
    if (minute === null) return;
    const attributes = this.#attributes.closeMinute();
    if (minute.start >= this.#kept.minutes) this.#add(this.#minutes, minute.row(attributes));
    this.#minute = null;
  }

  #closeHour(): void {
    this.#closeMinute();
    const hour = this.#hour;
    if (hour === null) return;
    const attributes = this.#attributes.closeHour();
    if (hour.start >= this.#kept.hours) this.#add(this.#hours, hour.row(attributes));
    this.#hour = null;
  }

  #add(rows: Buffer[], row: Buffer): void {
    rows.push(row);
    this.#rowBytes += row.length;
  }
}
