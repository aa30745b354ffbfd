/** Errors that cross a module's border. Expected bad input is a value (see `reasons.ts`); these are thrown. */

/** A payload on a stream, in the database or in the API that is not what its contract says. */
export class CodecError extends Error {
  override readonly name = 'CodecError';
  /** Path of the field at fault, e.g. `records[3].latitude`. */
  readonly field: string;
  /** What the contract wants there. */
  readonly expected: string;

  constructor(field: string, expected: string, given: unknown) {
    super(`${field}: expected ${expected}, got ${describe(given)}`);
    this.field = field;
    this.expected = expected;
  }
}

/**
 * A read past the end of a byte sequence: says where and how much was wanted. It has no stack, which would cost twenty
 * times what the rest does: a frame may hold nine thousand lists that each end too soon.
 */
export class TruncatedError extends Error {
  override readonly name = 'TruncatedError';
  readonly offset: number;
  readonly wantedBytes: number;

  constructor(offset: number, wantedBytes: number, availableBytes: number) {
    const { stackTraceLimit } = Error;
    Error.stackTraceLimit = 0;
    super(`wanted ${wantedBytes} bytes at offset ${offset}, ${availableBytes} are there`);
    Error.stackTraceLimit = stackTraceLimit;
    this.offset = offset;
    this.wantedBytes = wantedBytes;
  }
}

/** Anything that was thrown, as an error. */
export function asError(thrown: unknown): Error {
  return thrown instanceof Error ? thrown : new Error(String(thrown));
}

/** The message of anything that was thrown. */
export function errorMessage(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

const DESCRIPTION_LIMIT = 80;

function describe(value: unknown): string {
  if (value === undefined) return 'nothing';
  const text = typeof value === 'bigint' ? `${value}n` : (JSON.stringify(value) ?? typeof value);
  return text.length > DESCRIPTION_LIMIT ? `${text.slice(0, DESCRIPTION_LIMIT)}…` : text;
}
