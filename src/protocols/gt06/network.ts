/**
 * Base stations and access points: what a device sends to be located by where satellites do not reach. They are kept
 * as attributes (`cell1`…, `wifi1`…); nothing is located here.
 *
 * Source: Concox, "GPS Tracker Communication Protocol" (JM-VL03), packets 22, 26, 28, A0, A1, A4; AM01, packet 2C.
 */
import { ByteReader } from '../../shared/byte-reader.ts';
import type { RecordDraft } from './record.ts';

export interface CellWidths {
  /** 1, unless bit 15 of the MCC says 2. */
  readonly mnc: 1 | 2;
  readonly lac: 2 | 4;
  readonly cellId: 3 | 4 | 8;
}

/** GSM: LAC (2), cell id (3). */
export const CELL_2G: CellWidths = { mnc: 1, lac: 2, cellId: 3 };
/** LTE ("4G base station data"): LAC (4), cell id (8). */
export const CELL_4G: CellWidths = { mnc: 1, lac: 4, cellId: 8 };
/** GSM LAC with the cell id in four bytes. */
export const CELL_WIDE: CellWidths = { mnc: 1, lac: 2, cellId: 4 };
/** The same with the MNC in two bytes. */
export const CELL_WIDE_MNC2: CellWidths = { mnc: 2, lac: 2, cellId: 4 };

const MNC_IS_TWO_BYTES = 0x8000;

export interface Operator {
  readonly mcc: number;
  readonly mnc: number;
}

/** MCC (2; bit 15: MNC is 2 bytes), MNC (1 or 2). */
export function readOperator(content: ByteReader, mncBytes: 1 | 2 = 1): Operator {
  const word = content.u16();
  const isWide = mncBytes === 2 || (word & MNC_IS_TWO_BYTES) !== 0;
  return { mcc: word & ~MNC_IS_TWO_BYTES, mnc: isWide ? content.u16() : content.u8() };
}

/** MCC, MNC, LAC, cell id. */
export function readCell(content: ByteReader, record: RecordDraft, widths: CellWidths = CELL_2G): void {
  const operator = readOperator(content, widths.mnc);
  record.addCell({ ...operator, ...readStation(content, widths), signal: null });
}

/** Up to `count` × (LAC, cell id, RSSI (1)) of one operator, leaving `reserve` bytes for what follows. */
export function readStations(
  content: ByteReader, record: RecordDraft, operator: Operator, widths: CellWidths, count: number, reserve: number,
): void {
  const bytes = widths.lac + widths.cellId + 1;
  for (let index = 0; index < count && content.remaining >= bytes + reserve; index += 1) {
    record.addCell({ ...operator, ...readStation(content, widths), signal: content.u8() });
  }
}

function readStation(content: ByteReader, widths: CellWidths): { lac: number; cellId: bigint } {
  const lac = widths.lac === 2 ? content.u16() : content.u32();
  if (widths.cellId === 8) return { lac, cellId: content.u64() };
  if (widths.cellId === 4) return { lac, cellId: BigInt(content.u32()) };
  return { lac, cellId: BigInt(content.u8() * 0x10000 + content.u16()) };
}

/** Count (1), then count × (MAC (6), signal (1)). */
export function readAccessPoints(content: ByteReader, record: RecordDraft): void {
  const count = content.u8();
  for (let index = 0; index < count; index += 1) record.addAccessPoint(content.take(6), content.u8());
}

/**
 * LBS length (1), then MCC, MNC, LAC and cell id. Some makers count the length byte itself and some do not, so of the
 * two readings the one is taken that leaves what follows, whose possible sizes are `tailBytes`. The widths of the
 * fields follow from the size. A length of 0 means no station; the room for one may be there nevertheless.
 */
export function readSizedCell(content: ByteReader, record: RecordDraft, tailBytes: readonly number[]): boolean {
  const length = content.u8();
  const leaves = (bytes: number): boolean => tailBytes.includes(content.remaining - bytes);
  if (length === 0) {
    const room = content.remaining - Math.min(...tailBytes);
    if (room >= SMALLEST_CELL_BYTES) content.skip(room);
    return false;
  }
  const excludesItself = length < SMALLEST_CELL_BYTES + 1 || (!leaves(length - 1) && leaves(length));
  const bytes = content.take(excludesItself ? length : length - 1);
  const widths = widthsOf(bytes);
  if (widths === undefined) record.set('lbs', Buffer.from(bytes));
  else readCell(new ByteReader(bytes), record, widths);
  return true;
}

const SMALLEST_CELL_BYTES = 8;

function widthsOf(bytes: Buffer): CellWidths | undefined {
  const isMncWide = bytes.length >= 2 && (bytes.readUInt16BE(0) & MNC_IS_TWO_BYTES) !== 0;
  switch (bytes.length) {
    case 8: return isMncWide ? undefined : CELL_2G;
    case 9: return isMncWide ? CELL_2G : CELL_WIDE;
    case 10: return CELL_WIDE_MNC2;
    case 15: return isMncWide ? undefined : CELL_4G;
    case 16: return { ...CELL_4G, mnc: 2 };
    default: return undefined;
  }
}
