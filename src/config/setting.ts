/**
 * Kinds of settings: each turns the text of an environment variable into a typed value with zod, and knows how to say
 * what it expected. Constructors here, the table of settings in `settings.ts`.
 */
import { z } from 'zod';

export interface Setting<T> {
  readonly schema: z.ZodType<T, string>;
  /** What a reader of an error needs to know, e.g. `an integer from 1 to 65535`. */
  readonly expected: string;
  /** As it would be written in the environment; null: no default, the setting may be absent. */
  readonly default: string | null;
  readonly unit: string;
  readonly doc: string;
  /** Never printed. */
  readonly secret: boolean;
}

interface Common {
  readonly unit?: string;
  readonly doc: string;
}

function setting<T>(
  schema: z.ZodType<T, string>,
  expected: string,
  fallback: string | null,
  common: Common,
): Setting<T> {
  return { schema, expected, default: fallback, unit: common.unit ?? '', doc: common.doc, secret: false };
}

const digits = z.string().regex(/^-?\d{1,15}$/);

export function integer(options: Common & { default: number; min: number; max: number }): Setting<number> {
  const { min, max } = options;
  const schema = digits.transform(Number).pipe(z.number().min(min).max(max));
  return setting(schema, `an integer from ${min} to ${max}`, String(options.default), options);
}

/** An integer that has no default: undefined when absent. */
export function port(options: Common & { default: number }): Setting<number> {
  return integer({ ...options, min: 0, max: 65_535 });
}

export function choice<const C extends string>(options: Common & { of: readonly C[]; default: C }): Setting<C> {
  return setting(z.enum(options.of), `one of ${options.of.join(', ')}`, options.default, options);
}

/** A comma-separated list of names out of a set, without repetition. */
export function choices<const C extends string>(
  options: Common & { of: readonly C[]; default: string },
): Setting<readonly C[]> {
  const item = z.enum(options.of);
  const schema = z
    .string()
    .transform((text) => text.split(',').map((part) => part.trim()))
    .pipe(z.array(item).min(1).refine((names) => new Set(names).size === names.length));
  return setting(schema, `a comma-separated list of ${options.of.join(', ')}, each once`, options.default, options);
}

/** A URL with one of the given schemes (`redis:` …); undefined when absent. */
export function url(options: Common & { schemes: readonly string[] }): Setting<string | undefined> {
  const matches = (text: string): boolean => URL.canParse(text) && options.schemes.includes(new URL(text).protocol);
  const schemes = options.schemes.map((scheme) => `${scheme}//`).join(' or ');
  const schema: z.ZodType<string | undefined, string> = z.string().refine(matches);
  return { ...setting(schema, `a URL that begins with ${schemes}`, null, options), secret: true };
}

export function text(options: Common & { default: string; min?: number }): Setting<string> {
  const min = options.min ?? 1;
  return setting(z.string().min(min), `a text of ${min} or more characters`, options.default, options);
}

/** A text that may be absent. */
export function optionalText(options: Common & { min?: number; secret?: boolean }): Setting<string | undefined> {
  const min = options.min ?? 1;
  const schema: z.ZodType<string | undefined, string> = z.string().min(min);
  return { ...setting(schema, `a text of ${min} or more characters`, null, options), secret: options.secret ?? false };
}

/** A setting whose text has a grammar of its own; `parse` gives undefined for a text outside it. */
export function parsed<T>(
  options: Common & { default: string; expected: string; parse: (text: string) => T | undefined },
): Setting<T> {
  const schema = z.string().transform((value, context): T => {
    const result = options.parse(value);
    if (result !== undefined) return result;
    context.addIssue({ code: 'custom', message: options.expected });
    return z.NEVER;
  });
  return setting(schema, options.expected, options.default, options);
}
