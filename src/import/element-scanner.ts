/**
 * Cuts the elements of one array out of a JSON document, however large: the array that is the document itself, or the
 * one under a name of its outermost object. Memory is bounded by one element. It follows brackets and strings and no
 * more: what an element is, JSON.parse says. Pure.
 */

const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const isOpening = (byte: number): boolean => byte === 0x5b || byte === 0x7b;
const isClosing = (byte: number): boolean => byte === 0x5d || byte === 0x7d;
/** White space is all that stands between values below this. */
const SPACE = 0x20;
const COMMA = 0x2c;
const COLON = 0x3a;
const OPEN_ARRAY = 0x5b;

export class ElementTooLongError extends Error {
  override readonly name = 'ElementTooLongError';
}

export class ElementScanner {
  readonly #names: ReadonlySet<string>;
  readonly #maxBytes: number;
  #depth = 0;
  #inString = false;
  #isEscaped = false;
  /** Depth inside the array that is wanted; null: not in it. */
  #arrayDepth: number | null = null;
  /** Bytes of the element, or the name, in the making that came in chunks before. */
  #begun: Buffer[] = [];
  #begunBytes = 0;
  #start = -1;
  #name = '';
  #nameStart = -1;
  #expectsArray = false;
  found = false;

  constructor(names: readonly string[], maxBytes: number) {
    this.#names = new Set(names);
    this.#maxBytes = maxBytes;
  }

  /** The document has come to its end. */
  get isComplete(): boolean {
    return this.#depth === 0 && !this.#inString;
  }

  /** The texts of the elements that end in this chunk. @throws ElementTooLongError */
  push(chunk: Buffer): string[] {
    const elements: string[] = [];
    if (this.#start !== -1) this.#start = 0;
    if (this.#nameStart !== -1) this.#nameStart = 0;
    for (let at = 0; at < chunk.length; at += 1) this.#step(chunk, at, elements);
    if (this.#start !== -1) this.#keep(chunk.subarray(this.#start));
    return elements;
  }

  get #isOutermost(): boolean {
    return this.#depth === 1 && this.#arrayDepth === null;
  }

  #step(chunk: Buffer, at: number, elements: string[]): void {
    const byte = chunk[at] as number;
    if (this.#inString) {
      this.#inStringStep(byte, chunk, at);
      return;
    }
    if (byte <= SPACE) return;
    const inArray = this.#arrayDepth === this.#depth;
    if (inArray && (byte === COMMA || isClosing(byte))) this.#end(chunk, at, elements);
    else if (inArray && this.#start === -1) this.#start = at;
    if (byte === QUOTE) this.#open(at);
    else if (isOpening(byte)) this.#descend(byte);
    else if (isClosing(byte)) this.#ascend();
    else this.#expectsArray = byte === COLON && this.#isOutermost && this.#names.has(this.#name);
  }

  #inStringStep(byte: number, chunk: Buffer, at: number): void {
    if (this.#isEscaped) this.#isEscaped = false;
    else if (byte === BACKSLASH) this.#isEscaped = true;
    else if (byte === QUOTE) {
      this.#inString = false;
      if (this.#nameStart !== -1) this.#name += chunk.toString('utf8', this.#nameStart, at);
      this.#nameStart = -1;
      return;
    }
    if (this.#nameStart === -1 || at < chunk.length - 1) return;
    // A name that goes on in the next chunk; one that is so long is none of ours.
    if (this.#name.length < 64) this.#name += chunk.toString('utf8', this.#nameStart);
  }

  #open(at: number): void {
    this.#inString = true;
    if (!this.#isOutermost) return;
    this.#name = '';
    this.#nameStart = at + 1;
  }

  #descend(byte: number): void {
    const isRoot = this.#depth === 0;
    this.#depth += 1;
    if (this.#arrayDepth === null && byte === OPEN_ARRAY && (isRoot || (this.#depth === 2 && this.#expectsArray))) {
      this.#arrayDepth = this.#depth;
      this.found = true;
    }
    this.#expectsArray = false;
  }

  #ascend(): void {
    if (this.#arrayDepth === this.#depth) this.#arrayDepth = null;
    this.#depth -= 1;
  }

  #keep(bytes: Buffer): void {
    this.#begunBytes += bytes.length;
    if (this.#begunBytes > this.#maxBytes) throw new ElementTooLongError(`an element is longer than ${this.#maxBytes} bytes`);
    this.#begun.push(Buffer.from(bytes));
  }

  #end(chunk: Buffer, at: number, elements: string[]): void {
    if (this.#start === -1) return;
    elements.push(Buffer.concat([...this.#begun, chunk.subarray(this.#start, at)]).toString());
    this.#begun = [];
    this.#begunBytes = 0;
    this.#start = -1;
  }
}
