/**
 * What tells codecs 8, 8 Extended and 16 apart, as parameters of one reader and one writer.
 * Source: Teltonika wiki, "Teltonika Data Sending Protocols".
 */
export type AvlCodec = '8' | '8E' | '16';

export interface AvlLayout {
  readonly codec: AvlCodec;
  readonly codecId: number;
  /** Width of the event I/O id and of each I/O element's id. */
  readonly idBytes: 1 | 2;
  /** Width of N of total I/O and of N1, N2, N4, N8. */
  readonly countBytes: 1 | 2;
  /** One byte of generation type follows the event I/O id. */
  readonly hasGenerationType: boolean;
  /** N16 elements of 16 bytes follow N8. */
  readonly hasSixteenByteGroup: boolean;
  /** NX elements of variable length follow N8. */
  readonly hasVariableGroup: boolean;
}

export const CODEC_8: AvlLayout = {
  codec: '8', codecId: 0x08, idBytes: 1, countBytes: 1,
  hasGenerationType: false, hasSixteenByteGroup: false, hasVariableGroup: false,
};

/**
 * What some FMB firmware sends as codec 8, undocumented. Nothing in the frame announces it: it is tried when the
 * documented layout does not consume the frame exactly.
 */
export const CODEC_8_WITH_SIXTEEN_BYTE_GROUP: AvlLayout = { ...CODEC_8, hasSixteenByteGroup: true };

export const CODEC_8_EXTENDED: AvlLayout = {
  codec: '8E', codecId: 0x8e, idBytes: 2, countBytes: 2,
  hasGenerationType: false, hasSixteenByteGroup: false, hasVariableGroup: true,
};

export const CODEC_16: AvlLayout = {
  codec: '16', codecId: 0x10, idBytes: 2, countBytes: 1,
  hasGenerationType: true, hasSixteenByteGroup: false, hasVariableGroup: false,
};

export const AVL_LAYOUTS: Readonly<Record<AvlCodec, AvlLayout>> = {
  '8': CODEC_8,
  '8E': CODEC_8_EXTENDED,
  '16': CODEC_16,
};
