/**
 * The order in which attributes are written: shorter names first, those of one length by their bytes. That is how
 * PostgreSQL keeps the members of a jsonb, and it takes an object that comes in this order without sorting it: 7.2 µs
 * of CPU for a row of twelve attributes in the place of 8.5.
 *
 * Nothing is sorted for a record. A tracker sends the same names in the same order again and again, so the way from
 * name to name is kept as a tree, and its end knows the order. A tree is bounded: what has no place in it any more
 * is written as it comes, which is the same JSON object. Whoever must not fill the tree of another has one of its own.
 */

/** A member in its place. */
export interface Place {
  readonly name: string;
  /** What stands before its value, in ASCII: `{"name":` of the first, `,"name":` of any other. */
  readonly lead: Uint8Array;
  /** Of the value among those that came. */
  readonly index: number;
}

interface Member extends Omit<Place, 'lead'> {
  readonly json: Uint8Array;
}

const FIRST = Buffer.from('{');
const NEXT = Buffer.from(',');

const MAX_NODES = 8_192;
/** A device that makes names up may send some as long as a frame: those are not kept. */
const MAX_NAME_LENGTH = 64;

/** The names so far, in the order in which they came. */
export class NamePath {
  readonly #before: NamePath | null;
  readonly #name: string;
  /** `"name":` in ASCII. */
  readonly #json: Uint8Array;
  readonly #next = new Map<string, NamePath>();
  /** The name that came next the last time: nearly always the same. */
  #lastName = '';
  #last: NamePath | null = null;
  #order: readonly Place[] | null = null;
  /** Of the whole tree. */
  readonly #size: { nodes: number };

  private constructor(before: NamePath | null, name: string, json: Uint8Array) {
    this.#size = before === null ? { nodes: 0 } : before.#size;
    this.#before = before;
    this.#name = name;
    this.#json = json;
  }

  /** A tree of its own. */
  static start(): NamePath {
    return new NamePath(null, '', new Uint8Array());
  }

  /** With one more name; null where there is no place for it. @param quote gives the name as JSON, or throws */
  with(name: string, quote: (name: string) => string): NamePath | null {
    if (this.#last !== null && this.#lastName === name) return this.#last;
    const next = this.#next.get(name) ?? this.#add(name, quote);
    if (next !== null) {
      this.#lastName = name;
      this.#last = next;
    }
    return next;
  }

  /** The names in the order in which they are written. */
  get order(): readonly Place[] {
    this.#order ??= this.#members()
      .sort((a, b) => a.name.length - b.name.length || (a.name < b.name ? -1 : 1))
      .map(({ json, ...member }, place) => ({ ...member, lead: Buffer.concat([place === 0 ? FIRST : NEXT, json]) }));
    return this.#order;
  }

  #add(name: string, quote: (name: string) => string): NamePath | null {
    if (this.#size.nodes >= MAX_NODES || name.length > MAX_NAME_LENGTH) return null;
    const json = Buffer.from(`${quote(name)}:`);
    // Bytes of characters beyond ASCII are not characters, and escapes are longer than what they stand for.
    if (json.length !== name.length + '"":'.length) return null;
    const next = new NamePath(this, name, json);
    this.#next.set(name, next);
    this.#size.nodes += 1;
    return next;
  }

  /** In the order in which they came. */
  #members(): Member[] {
    if (this.#before === null) return [];
    const members = this.#before.#members();
    members.push({ name: this.#name, json: this.#json, index: members.length });
    return members;
  }
}
