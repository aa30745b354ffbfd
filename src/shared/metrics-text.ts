/**
 * Reads the text format of Prometheus, for the demo and the simulator: samples with their labels. A line that is no
 * sample is passed over; NaN and infinities are values.
 * Format: https://prometheus.io/docs/instrumenting/exposition_formats/
 */

export interface Sample {
  readonly name: string;
  readonly labels: ReadonlyMap<string, string>;
  readonly value: number;
}

/** name, labels with their braces, value, timestamp. A label's value may hold any character, some escaped. */
const SAMPLE = /^([a-zA-Z_:][\w:]*)\s*(?:\{((?:[^"}]|"(?:[^"\\]|\\.)*")*)\})?\s*(\S+)(?:\s+-?\d+)?\s*$/;
const LABEL = /([a-zA-Z_]\w*)\s*=\s*"((?:[^"\\]|\\.)*)"/g;
const WORDS: Readonly<Record<string, number>> = { '+Inf': Infinity, Inf: Infinity, '-Inf': -Infinity, NaN };

function unescape(text: string): string {
  return text.replace(/\\(.)/g, (_match, character: string) => (character === 'n' ? '\n' : character));
}

function parseLine(line: string): Sample | undefined {
  const [, name, labels = '', value] = SAMPLE.exec(line) ?? [];
  if (name === undefined || value === undefined) return undefined;
  const number = WORDS[value] ?? Number(value);
  if (Number.isNaN(number) && value !== 'NaN') return undefined;
  const pairs = [...labels.matchAll(LABEL)].map(([, label = '', text = '']) => [label, unescape(text)] as const);
  return { name, labels: new Map(pairs), value: number };
}

/** The samples of an exposition, in its order. */
export function parseMetrics(text: string): readonly Sample[] {
  return text.split('\n').flatMap((line) => (line.startsWith('#') ? [] : (parseLine(line) ?? [])));
}

/** The sum of all samples of that name that have these labels; 0 when there is none. */
export function total(samples: readonly Sample[], name: string, labels: Readonly<Record<string, string>> = {}): number {
  const wanted = Object.entries(labels);
  return samples
    .filter((sample) => sample.name === name && wanted.every(([label, value]) => sample.labels.get(label) === value))
    .reduce((sum, { value }) => sum + value, 0);
}
