/**
 * Where a text stops being JSON. `JSON.parse` says so only for some faults; this is read after it has failed. Pure, and
 * without recursion: a text may be nested as deep as it is long.
 */

const SPACE = /[ \t\n\r]*/y;
const SCALAR = /-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?|true|false|null/y;
const ESCAPE = /\\(?:["\\/bfnrt]|u[0-9a-fA-F]{4})/y;
const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const FIRST_PRINTABLE = 0x20;

type Expected = 'value' | 'first value' | 'key' | 'first key' | 'colon' | 'after' | 'end';

export interface JsonFault {
  /** From 1. */
  readonly line: number;
  readonly column: number;
}

/** The end of what `pattern` matches at `at`; -1: it does not. */
function match(pattern: RegExp, text: string, at: number): number {
  pattern.lastIndex = at;
  return pattern.test(text) ? pattern.lastIndex : -1;
}

/** The end of the string that begins at `at`; -1: none does. By hand: a pattern would remember every character. */
function stringEnd(text: string, at: number): number {
  if (text.charCodeAt(at) !== QUOTE) return -1;
  let end = at + 1;
  for (let code = text.charCodeAt(end); code !== QUOTE; code = text.charCodeAt(end)) {
    // Not the other way round: beyond the end it is NaN.
    if (!(code >= FIRST_PRINTABLE)) return -1;
    end = code === BACKSLASH ? match(ESCAPE, text, end) : end + 1;
    if (end === -1) return -1;
  }
  return end + 1;
}

class Reader {
  readonly #text: string;
  readonly #open: ('{' | '[')[] = [];
  #at = 0;
  #expected: Expected = 'value';

  constructor(text: string) {
    this.#text = text;
  }

  /** Offset of the first character that cannot stand there. */
  fault(): number {
    for (;;) {
      this.#at = match(SPACE, this.#text, this.#at);
      if (!this.#step(this.#text[this.#at])) return this.#at;
    }
  }

  #step(next: string | undefined): boolean {
    switch (this.#expected) {
      case 'first value':
        return next === ']' ? this.#close() : this.#value(next);
      case 'value':
        return this.#value(next);
      case 'first key':
        return next === '}' ? this.#close() : this.#take(stringEnd(this.#text, this.#at), 'colon');
      case 'key':
        return this.#take(stringEnd(this.#text, this.#at), 'colon');
      case 'colon':
        return this.#take(next === ':' ? this.#at + 1 : -1, 'value');
      case 'after':
        return this.#after(next);
      case 'end':
        return false;
    }
  }

  #take(end: number, expected: Expected): boolean {
    if (end === -1) return false;
    this.#at = end;
    this.#expected = expected;
    return true;
  }

  #value(next: string | undefined): boolean {
    if (next === '{' || next === '[') {
      this.#open.push(next);
      return this.#take(this.#at + 1, next === '{' ? 'first key' : 'first value');
    }
    const end = next === '"' ? stringEnd(this.#text, this.#at) : match(SCALAR, this.#text, this.#at);
    return this.#take(end, this.#open.length === 0 ? 'end' : 'after');
  }

  #close(): boolean {
    this.#open.pop();
    return this.#take(this.#at + 1, this.#open.length === 0 ? 'end' : 'after');
  }

  #after(next: string | undefined): boolean {
    const inObject = this.#open.at(-1) === '{';
    if (next === ',') return this.#take(this.#at + 1, inObject ? 'key' : 'value');
    return next === (inObject ? '}' : ']') && this.#close();
  }
}

/** Of a text that `JSON.parse` refuses. */
export function jsonFault(text: string): JsonFault {
  const before = text.slice(0, new Reader(text).fault());
  const lines = before.split('\n');
  return { line: lines.length, column: (lines.at(-1) ?? '').length + 1 };
}
