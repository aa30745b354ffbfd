/**
 * What the demo prints. On a terminal the figures are rewritten in place once a second; elsewhere they are a line every
 * five seconds, so that a log stays readable.
 */
import { resolve } from 'node:path';
import type { Runtime } from '../shared/runtime-file.ts';
import { reachable } from '../shared/runtime-file.ts';
import type { Figures } from './figures.ts';
import { rateBetween } from './figures.ts';

const LINE_INTERVAL_MS = 5_000;
const UP_AND_CLEAR = '\u001b[1A\u001b[2K';

/** Where a display writes: `process.stdout`, or a test. */
export interface Terminal {
  readonly isTTY?: boolean;
  /** Columns and rows. */
  getWindowSize?(): readonly [number, number];
  write(text: string): unknown;
}

const number = (value: number): string => Math.round(value).toLocaleString('en');

/** The addresses of a running system, one a line. */
export function addresses(runtime: Runtime, dataDir: string): string {
  const listeners = runtime.listeners.map(
    ({ protocol, transport, host, port }) =>
      `${protocol}${transport === 'tcp' ? '' : `+${transport}`} ${reachable(host)}:${port}`,
  );
  const lines = [
    ['trackers', listeners.join(', ')],
    ['live', runtime.liveUrl ?? 'not running'],
    ['HTTP', runtime.apiUrl ?? 'not running'],
    ['metrics', new URL('/metrics', runtime.metricsUrl).href],
    ['database', `psql '${runtime.postgresUrl}'`],
    ['token', resolve(dataDir, 'auth-token')],
    ['log', resolve(dataDir, 'demo.log')],
  ] as const;
  return lines.map(([name, value]) => `  ${name.padEnd(10)}${value}\n`).join('');
}

/** The figures, shortest form. */
export function statusLines(figures: Figures, rate: number): readonly string[] {
  const { stored, duplicates, devices, lagEntries, deadLetters } = figures;
  return [
    `records ${rate.toFixed(1)}/s acknowledged; since the start ${number(stored)} stored, ${number(duplicates)} duplicates`,
    `devices ${number(devices)}, consumer lag ${number(lagEntries)}, dead letters ${number(deadLetters)}`,
  ];
}

export class Display {
  readonly #terminal: Terminal;
  #previous: Figures | undefined;
  /** Lines that the next figures replace. */
  #replaceable = 0;

  constructor(terminal: Terminal) {
    this.#terminal = terminal;
  }

  /** Text that stays. */
  say(text: string): void {
    this.#terminal.write(text.endsWith('\n') ? text : `${text}\n`);
    this.#replaceable = 0;
  }

  figures(figures: Figures): void {
    if (this.#terminal.isTTY === true) this.#rewrite(figures);
    else this.#line(figures);
  }

  #rewrite(figures: Figures): void {
    const [columns] = this.#terminal.getWindowSize?.() ?? [0];
    // Some terminals do not know their size.
    const width = (columns || 80) - 1;
    const lines = statusLines(figures, rateBetween(this.#previous, figures)).map((line) => `  ${line}`.slice(0, width));
    this.#terminal.write(`${UP_AND_CLEAR.repeat(this.#replaceable)}${lines.join('\n')}\n`);
    this.#replaceable = lines.length;
    this.#previous = figures;
  }

  #line(figures: Figures): void {
    const previous = this.#previous;
    if (previous !== undefined && figures.at - previous.at < LINE_INTERVAL_MS) return;
    this.#terminal.write(`  ${statusLines(figures, rateBetween(previous, figures)).join('; ')}\n`);
    this.#previous = figures;
  }
}
