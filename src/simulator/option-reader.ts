/**
 * Reads raw option values one by one and collects what is wrong with them, so that all mistakes are told at once. A
 * value that is wrong reads as the default; whoever reads checks `problems` at the end.
 */
import { formatDuration, parseDuration } from '../shared/duration.ts';

/** What the command line gave, by the option's name without its dashes. */
export type RawOptions = Readonly<Record<string, string | boolean | undefined>>;

interface NumberOption {
  readonly default: number;
  readonly min: number;
  readonly max: number;
}

export class OptionReader {
  readonly problems: string[] = [];
  readonly #raw: RawOptions;

  constructor(raw: RawOptions) {
    this.#raw = raw;
  }

  has(name: string): boolean {
    return this.#raw[name] !== undefined;
  }

  flag(name: string): boolean {
    return this.#raw[name] === true;
  }

  text(name: string): string | undefined {
    const value = this.#raw[name];
    return typeof value === 'string' ? value : undefined;
  }

  problem(name: string, expected: string, given: string): void {
    this.problems.push(`--${name}: expected ${expected}, got ${JSON.stringify(given)}`);
  }

  integer(name: string, option: NumberOption): number {
    const expected = `a whole number from ${option.min} to ${option.max}`;
    return this.#number(name, option, expected, (text) => (/^\d+$/.test(text) ? Number(text) : undefined));
  }

  decimal(name: string, option: NumberOption): number {
    const expected = `a number from ${option.min} to ${option.max}`;
    return this.#number(name, option, expected, (text) => (/^\d+(\.\d+)?$/.test(text) ? Number(text) : undefined));
  }

  /** Milliseconds. */
  duration(name: string, option: NumberOption): number {
    const range = `from ${formatDuration(option.min)} to ${formatDuration(option.max)}`;
    return this.#number(name, option, `a duration like 500ms, 1s or 2m, ${range}`, parseDuration);
  }

  choice<Choice extends string>(name: string, choices: readonly Choice[], fallback: Choice): Choice {
    const text = this.text(name);
    if (text === undefined) return fallback;
    const found = choices.find((choice) => choice === text.toLowerCase());
    if (found === undefined) this.problem(name, `one of ${choices.join(', ')}`, text);
    return found ?? fallback;
  }

  /** A URL with one of `schemes` (such as `http:`). */
  url(name: string, schemes: readonly string[]): string | undefined {
    const text = this.text(name);
    if (text === undefined) return undefined;
    if (!URL.canParse(text) || !schemes.includes(new URL(text).protocol)) {
      this.problem(name, `a URL that begins with ${schemes.map((scheme) => `${scheme}//`).join(' or ')}`, text);
    }
    return text;
  }

  #number(name: string, option: NumberOption, expected: string, parse: (text: string) => number | undefined): number {
    const text = this.text(name);
    if (text === undefined) return option.default;
    const value = parse(text);
    if (value !== undefined && value >= option.min && value <= option.max) return value;
    this.problem(name, expected, text);
    return option.default;
  }
}
