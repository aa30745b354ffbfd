/**
 * Reads raw option values one by one and collects what is wrong with them, so that all mistakes are told at once. A
 * value that is wrong reads as the default; whoever reads calls `finish` at the end.
 */
import { formatDuration, parseDuration } from './duration.ts';

/** What the command line gave, by the option's name without its dashes. */
export type RawOptions = Readonly<Record<string, string | boolean | undefined>>;

/** Options that cannot be: `message` has one line for each problem. */
export class OptionsError extends Error {
  override readonly name = 'OptionsError';
}

/** Options as commander names them, `recordsPerFrame`, by the name that is written: `records-per-frame`. */
export function rawOptions(given: Readonly<Record<string, string | boolean>>): RawOptions {
  return Object.fromEntries(Object.entries(given).map(([name, value]) => [dashed(name), value]));
}

function dashed(name: string): string {
  return name.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`);
}

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

  /** Values separated by commas; empty when the option was not given. */
  list(name: string): readonly string[] {
    return (this.text(name) ?? '').split(',').map((part) => part.trim()).filter((part) => part !== '');
  }

  /** As `list`, out of a closed set. */
  choices<Choice extends string>(name: string, choices: readonly Choice[]): readonly Choice[] {
    return this.list(name).flatMap((part) => {
      const found = choices.find((choice) => choice === part);
      if (found === undefined) this.problem(name, `one or more of ${choices.join(', ')}`, part);
      return found ?? [];
    });
  }

  /** @throws OptionsError with every problem found. */
  finish(): void {
    if (this.problems.length > 0) throw new OptionsError(this.problems.join('\n'));
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
