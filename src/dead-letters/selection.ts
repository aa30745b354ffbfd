/** Which letters a command is about: what the command line asks for, and whether a letter is among that. Pure. */
import { protocolNames } from '../protocols/registry.ts';
import type { DeadLetter } from '../shared/contracts/dead-letter-stream.ts';
import type { OptionReader } from '../shared/option-reader.ts';
import { parseDuration } from '../shared/duration.ts';
import type { ReasonCode } from '../shared/reasons.ts';
import { DEAD_LETTER_REASONS } from '../shared/reasons.ts';

export interface Selection {
  /** Empty: all. The same for the three lists that follow. */
  readonly ids: readonly string[];
  readonly reasons: readonly ReasonCode[];
  readonly devices: readonly string[];
  readonly protocols: readonly string[];
  /** When the letter was written, epoch milliseconds, both included; null: any time. */
  readonly sinceMs: number | null;
  readonly untilMs: number | null;
  /** Most letters, the oldest first. */
  readonly limit: number;
}

const ID = /^\d{1,20}-\d{1,20}$/;
/** A day, or an instant with its zone: a time without one would mean another in every place. */
const INSTANT = /^\d{4}-\d{2}-\d{2}(?:T\d{2}:\d{2}(?::\d{2}(?:\.\d+)?)?(?:Z|[+-]\d{2}:\d{2}))?$/;

/** @param now epoch milliseconds, for durations ago */
export function readSelection(reader: OptionReader, ids: readonly string[], now: number): Selection {
  for (const id of ids) {
    if (!ID.test(id)) reader.problems.push(`id: expected one like 1763635200000-0, got ${JSON.stringify(id)}`);
  }
  const [sinceMs, untilMs] = [readInstant(reader, 'since', now), readInstant(reader, 'until', now)];
  if (sinceMs !== null && untilMs !== null && sinceMs > untilMs) {
    reader.problem('until', 'a time after that of --since', reader.text('until') ?? '');
  }
  return {
    ids,
    reasons: reader.choices('reason', DEAD_LETTER_REASONS),
    devices: reader.list('device'),
    protocols: reader.choices('protocol', protocolNames),
    sinceMs,
    untilMs,
    limit: reader.has('limit') ? reader.integer('limit', { default: 1, min: 1, max: 1_000_000_000 }) : Infinity,
  };
}

function readInstant(reader: OptionReader, name: 'since' | 'until', now: number): number | null {
  const text = reader.text(name);
  if (text === undefined) return null;
  const agoMs = parseDuration(text);
  const at = agoMs === undefined ? Date.parse(INSTANT.test(text) ? text : '') : now - Math.round(agoMs);
  if (!Number.isNaN(at)) return Math.max(0, at);
  reader.problem(name, 'a time like 2026-11-20T12:00:00Z, a day like 2026-11-20, or a duration ago like 2h', text);
  return null;
}

/** Nothing narrows it down but, at most, the number. */
export function isEverything({ ids, reasons, devices, protocols, sinceMs, untilMs }: Selection): boolean {
  return [ids, reasons, devices, protocols].every(({ length }) => length === 0) && sinceMs === null && untilMs === null;
}

/** Whether a letter of the right time is asked for; null is one that cannot be read, of which only that is known. */
export function isSelected(selection: Selection, letter: DeadLetter | null): boolean {
  const { reasons, devices, protocols } = selection;
  return includes(reasons, letter?.reason ?? null) && includes(devices, letter?.deviceId ?? null)
    && includes(protocols, letter?.protocol ?? null);
}

function includes(wanted: readonly string[], value: string | null): boolean {
  return wanted.length === 0 || (value !== null && wanted.includes(value));
}

/** When the letter was written, by its id; epoch milliseconds. */
export function timeOf(id: string): number {
  return Number(id.split('-')[0]);
}

export function isInTime({ sinceMs, untilMs }: Selection, id: string): boolean {
  return timeOf(id) >= (sinceMs ?? 0) && timeOf(id) <= (untilMs ?? Infinity);
}
