/**
 * The records of spans of trackers, as a COPY in binary format gives them (documentation of COPY, "Binary Format"):
 * span by span in the order asked for, in each by `(ts, event_id)`. Of what is read as much is in memory as the socket
 * has given.
 *
 * Errors: those of PostgreSQL; what is asked for is over then.
 */
import type { PoolClient } from 'pg';
import { to as copyTo } from 'pg-copy-streams';
import { sqlTime } from '../../db/sql-time.ts';
import { POSTGRES_EPOCH_MS, TWO_TO_32 } from '../binary-format.ts';
import { COPY_END, COPY_START } from '../copy-rows.ts';
import type { Breaks } from './breaks.ts';

/** Some time of a tracker, from `from` to before `to`, both at full minutes; epoch milliseconds. */
export interface Span {
  readonly deviceId: number | bigint;
  readonly from: number;
  readonly to: number;
}

/** The spans as parameters of a statement: ids, beginnings and ends. */
export function spanArrays(spans: readonly Span[]): [string[], string[], string[]] {
  return [
    spans.map(({ deviceId }) => String(deviceId)),
    spans.map(({ from }) => sqlTime(from)),
    spans.map(({ to }) => sqlTime(to)),
  ];
}

/** One record; the next one is in the same object. */
export interface RollupRecord {
  deviceId: number;
  /** Epoch milliseconds. */
  ts: number;
  speed: number | null;
  altitude: number | null;
  hdop: number | null;
  satellites: number | null;
  latitude: number | null;
  longitude: number | null;
  /** The buffer in which jsonb is printed from `attributesFrom` to before `attributesTo`. */
  attributes: Buffer;
  attributesFrom: number;
  attributesTo: number;
}

const COLUMNS = 'device_id, ts, speed, altitude, hdop, satellites, latitude, longitude, attributes';
const MICROSECONDS = 1_000;
/** Before the text of a value of type jsonb. */
const JSONB_VERSION_BYTES = 1;

/**
 * COPY takes no parameters; all of these are numbers and times of ours. `offset 0`: bounds that are plain values choose
 * chunks and compressed batches, expressions do not.
 */
function copyOf(spans: readonly Span[]): string {
  const [ids, begins, ends] = spanArrays(spans).map((values) => values.map((value) => `"${value}"`).join());
  return `copy (
    select r.* from (
      select * from unnest('{${ids}}'::bigint[], '{${begins}}'::timestamptz[], '{${ends}}'::timestamptz[])
        as spans (device_id, begins, ends) offset 0) as touched
    cross join lateral (
      select ${COLUMNS} from positions p
      where p.device_id = touched.device_id and p.ts >= touched.begins and p.ts < touched.ends
      order by ts, event_id) as r
  ) to stdout (format binary)`;
}

/** Reads values from where the one before has ended. */
class Cursor {
  #bytes: Buffer = Buffer.alloc(0);
  #at = 0;

  /** Nothing is left but the mark that ends a COPY. */
  get isAtEnd(): boolean {
    return this.#bytes.subarray(this.#at).equals(COPY_END);
  }

  /** What is left of the bytes before, and these. */
  append(bytes: Buffer): void {
    this.#bytes = this.#at === this.#bytes.length ? bytes : Buffer.concat([this.#bytes.subarray(this.#at), bytes]);
    this.#at = 0;
  }

  /** @returns false: there are not so many bytes */
  skip(count: number): boolean {
    if (this.#bytes.length - this.#at < count) return false;
    this.#at += count;
    return true;
  }

  /** @returns false: there is no whole row */
  read(record: RollupRecord): boolean {
    if (!this.#hasRow()) return false;
    this.#at += 2;
    record.deviceId = this.#int8() ?? 0;
    record.ts = POSTGRES_EPOCH_MS + (this.#int8() ?? 0) / MICROSECONDS;
    record.speed = this.#float4();
    record.altitude = this.#float4();
    record.hdop = this.#float4();
    record.satellites = this.#int2();
    record.latitude = this.#float8();
    record.longitude = this.#float8();
    const length = this.#length();
    record.attributes = this.#bytes;
    record.attributesFrom = this.#at + JSONB_VERSION_BYTES;
    this.#at += Math.max(0, length);
    record.attributesTo = this.#at;
    return true;
  }

  /** A row begins with the number of its values; the end is −1. */
  #hasRow(): boolean {
    const { length } = this.#bytes;
    if (length - this.#at < 2) return false;
    let at = this.#at + 2;
    for (let left = this.#bytes.readInt16BE(this.#at); left > 0; left -= 1) {
      if (length - at < 4) return false;
      at += 4 + Math.max(0, this.#bytes.readInt32BE(at));
    }
    return at > this.#at + 2 && at <= length;
  }

  #length(): number {
    const length = this.#bytes.readInt32BE(this.#at);
    this.#at += 4;
    return length;
  }

  /** Rounded where it is beyond 2^53: microseconds of a time some centuries away, which milliseconds do not show. */
  #int8(): number | null {
    if (this.#length() < 0) return null;
    this.#at += 8;
    return this.#bytes.readInt32BE(this.#at - 8) * TWO_TO_32 + this.#bytes.readUInt32BE(this.#at - 4);
  }

  #int2(): number | null {
    if (this.#length() < 0) return null;
    this.#at += 2;
    return this.#bytes.readInt16BE(this.#at - 2);
  }

  #float4(): number | null {
    if (this.#length() < 0) return null;
    this.#at += 4;
    return this.#bytes.readFloatBE(this.#at - 4);
  }

  #float8(): number | null {
    if (this.#length() < 0) return null;
    this.#at += 8;
    return this.#bytes.readDoubleBE(this.#at - 8);
  }
}

const NOTHING: RollupRecord = {
  deviceId: 0, ts: 0, speed: null, altitude: null, hdop: null, satellites: null, latitude: null, longitude: null,
  attributes: Buffer.alloc(0), attributesFrom: 0, attributesTo: 0,
};

/** @param take called with every record @throws what PostgreSQL says, Error when what it sends is not a whole COPY */
export async function readRecords(
  client: PoolClient, spans: readonly Span[], breaks: Breaks, take: (record: RollupRecord) => void,
): Promise<void> {
  const cursor = new Cursor();
  const record = { ...NOTHING };
  let hasBegun = false;
  // pg puts what clears the timer of the query into `callback`, which pg-copy-streams does not call.
  const copy = Object.assign(copyTo(copyOf(spans)), { callback: () => undefined });
  try {
    for await (const bytes of client.query(copy) as AsyncIterable<Buffer>) {
      cursor.append(bytes);
      hasBegun ||= cursor.skip(COPY_START.length);
      while (hasBegun && cursor.read(record)) take(record);
      await breaks.take();
    }
  } finally {
    copy.callback();
  }
  if (!cursor.isAtEnd) throw new Error('a COPY of positions has ended in the middle');
}
