/**
 * Cuts a stream of bytes into lines, however it was split. Holds at most one line of `maxBytes`: of a longer one only
 * that it was too long is told, once, and its bytes are passed over. Pure.
 */

/** Without its line end. */
export type Line = { readonly kind: 'line'; readonly bytes: Buffer } | { readonly kind: 'too_long' };

const LINE_FEED = 0x0a;
const CARRIAGE_RETURN = 0x0d;
const TOO_LONG: Line = { kind: 'too_long' };

export class LineSplitter {
  readonly #maxBytes: number;
  /** The beginning of a line whose end has not come yet. */
  #begun: Buffer[] = [];
  #begunBytes = 0;
  #isPassingOver = false;

  constructor(maxBytes: number) {
    this.#maxBytes = maxBytes;
  }

  /** The lines that end in this chunk. */
  *push(chunk: Buffer): Generator<Line, void, undefined> {
    let start = 0;
    for (let end = chunk.indexOf(LINE_FEED); end !== -1; end = chunk.indexOf(LINE_FEED, start)) {
      const line = this.#finish(chunk.subarray(start, end));
      start = end + 1;
      if (line !== null) yield line;
    }
    const line = this.#begin(chunk.subarray(start));
    if (line !== null) yield line;
  }

  /** What is left when no more comes: a last line without its end. */
  *end(): Generator<Line, void, undefined> {
    const line = this.#finish(Buffer.alloc(0));
    if (line?.kind === 'too_long' || (line?.kind === 'line' && line.bytes.length > 0)) yield line;
  }

  #begin(bytes: Buffer): Line | null {
    if (this.#isPassingOver || bytes.length === 0) return null;
    if (this.#begunBytes + bytes.length > this.#maxBytes) return this.#passOver();
    // A copy: the chunk it is part of may be far larger than the line.
    this.#begun.push(Buffer.from(bytes));
    this.#begunBytes += bytes.length;
    return null;
  }

  #passOver(): Line {
    this.#isPassingOver = true;
    this.#forget();
    return TOO_LONG;
  }

  #forget(): void {
    this.#begun = [];
    this.#begunBytes = 0;
  }

  #finish(rest: Buffer): Line | null {
    if (this.#isPassingOver) {
      this.#isPassingOver = false;
      return null;
    }
    if (this.#begunBytes + rest.length > this.#maxBytes) {
      this.#forget();
      return TOO_LONG;
    }
    const bytes = this.#begunBytes === 0 ? rest : Buffer.concat([...this.#begun, rest]);
    this.#forget();
    return { kind: 'line', bytes: bytes.at(-1) === CARRIAGE_RETURN ? bytes.subarray(0, -1) : bytes };
  }
}
