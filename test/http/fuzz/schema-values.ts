/**
 * Values that a schema of the document takes, for fast-check. Where a schema knows less than the route does (a time is
 * text of up to 40 characters for it), words by the name of the property lead on to what lies behind the check.
 */
import fc from 'fast-check';
import type { ApiDocument, Schema } from './operations.ts';
import { resolve } from './operations.ts';

/** Likely values by the name of a parameter or property. */
export type Words = Readonly<Record<string, fc.Arbitrary<unknown>>>;

const MOST_ITEMS = 4;
const MOST_CHARACTERS = 40;
const LARGEST_NUMBER = Number.MAX_VALUE;

function textOf({ pattern, minLength = 0, maxLength = MOST_CHARACTERS }: Schema): fc.Arbitrary<string> {
  if (pattern !== undefined) return fc.stringMatching(new RegExp(pattern));
  const short = { minLength, maxLength: Math.max(minLength, Math.min(maxLength, MOST_CHARACTERS)) };
  return fc.oneof(
    fc.string({ ...short, unit: 'grapheme-ascii' }), fc.string({ ...short, unit: 'binary' }),
    fc.constant('x'.repeat(Math.min(maxLength, 2_000))), fc.constant('x'.repeat(minLength)),
  );
}

function numberOf(isWhole: boolean, { minimum, maximum }: Schema): fc.Arbitrary<number> {
  const least = minimum ?? (isWhole ? Number.MIN_SAFE_INTEGER : -LARGEST_NUMBER);
  const most = maximum ?? (isWhole ? Number.MAX_SAFE_INTEGER : LARGEST_NUMBER);
  const bounds = fc.constantFrom(least, most, ...[0, 1, -1].filter((one) => one >= least && one <= most));
  const range = { min: least, max: most };
  return fc.oneof(bounds, isWhole ? fc.integer(range) : fc.double({ ...range, noNaN: true }));
}

export class SchemaValues {
  readonly #document: ApiDocument;
  readonly #words: Words;

  constructor(document: ApiDocument, words: Words) {
    this.#document = document;
    this.#words = words;
  }

  /** Of a parameter or property: mostly a likely word, where there are any. */
  named(name: string, schema: Schema): fc.Arbitrary<unknown> {
    const words = Object.hasOwn(this.#words, name) ? this.#words[name] : undefined;
    const any = this.of(schema);
    return words === undefined ? any : fc.oneof({ weight: 6, arbitrary: words }, { weight: 1, arbitrary: any });
  }

  of(given: Schema): fc.Arbitrary<unknown> {
    const schema = resolve(this.#document, given);
    if (schema.enum !== undefined) return fc.constantFrom(...schema.enum);
    if (schema.const !== undefined) return fc.constant(schema.const);
    const choices = schema.anyOf ?? schema.oneOf;
    if (choices !== undefined) return fc.oneof(...choices.map((one) => this.of(one)));
    const types = [schema.type ?? 'string'].flat();
    return fc.oneof(...types.map((type) => this.#ofType(type, schema)));
  }

  #ofType(type: string, schema: Schema): fc.Arbitrary<unknown> {
    switch (type) {
      case 'string': return textOf(schema);
      case 'integer': return numberOf(true, schema);
      case 'number': return numberOf(false, schema);
      case 'boolean': return fc.boolean();
      case 'null': return fc.constant(null);
      case 'array': return this.#list(schema);
      case 'object': return this.#object(schema);
      default: throw new Error(`a schema of the type ${type}`);
    }
  }

  #list({ items = {}, minItems = 0, maxItems = MOST_ITEMS }: Schema): fc.Arbitrary<unknown> {
    const most = Math.max(minItems, Math.min(maxItems, MOST_ITEMS));
    return fc.array(this.of(items), { minLength: minItems, maxLength: most });
  }

  #object({ properties = {}, required = [], propertyNames = {}, additionalProperties }: Schema): fc.Arbitrary<unknown> {
    if (typeof additionalProperties === 'object') {
      const key = this.of({ type: 'string', ...propertyNames }) as fc.Arbitrary<string>;
      return fc.dictionary(key, this.of(additionalProperties), { maxKeys: MOST_ITEMS });
    }
    const values = Object.entries(properties).map(([name, schema]) => [name, this.named(name, schema)] as const);
    return fc.record(Object.fromEntries(values), { requiredKeys: [...required] });
  }
}
