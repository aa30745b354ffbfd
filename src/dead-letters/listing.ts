/** Letters as text and as JSON. Pure. Whatever is in a letter, a line of `list` is one line. */
import { encodeEntryPayload } from '../shared/contracts/dead-letter-stream.ts';
import { REASONS } from '../shared/reasons.ts';
import type { StoredLetter } from './letters.ts';
import { timeOf } from './selection.ts';

type Description = Readonly<Record<string, string | number | null>>;

/** The latest time that a Date can hold. */
const LATEST_MS = 8.64e15;

function written(id: string): string {
  return new Date(Math.min(timeOf(id), LATEST_MS)).toISOString();
}

/** What is in a letter but its bytes and its payload, with how long they are. */
function summarize(stored: StoredLetter): Description {
  const { id, letter } = stored;
  if (letter === null) return { id, time: written(id), unreadable: stored.error.message };
  const { reason, deviceId: device, protocol, field, message, at, origin } = letter;
  const bytes = (letter.raw?.length ?? 0) + Buffer.byteLength(letter.payload ?? '');
  return { id, time: written(id), reason, device, protocol, field, message, at, origin, bytes };
}

/** All that is in a letter: bytes as hex, and of one that cannot be read all fields as JSON. */
function describe(stored: StoredLetter): Description {
  const { bytes: _bytes, ...summary } = summarize(stored);
  if (stored.letter === null) return { ...summary, fields: encodeEntryPayload(stored.fields) };
  const { raw, session, payload } = stored.letter;
  return { ...summary, session, raw: raw?.toString('hex') ?? null, payload };
}

const WIDTHS = { reason: 16, device: 16, protocol: 9 } as const;
/** A letter for many records of a frame names the field of each. */
const LONGEST_TEXT = 160;

/** Control characters would move the cursor of a terminal, or begin another line. */
function printable(text: string): string {
  return text.replace(/\p{Cc}/gu, '\u{fffd}');
}

function short(text: string | null): string {
  if (text === null || text === '') return '-';
  return printable(text.length > LONGEST_TEXT ? `${text.slice(0, LONGEST_TEXT)}…` : text);
}

/** One line: id, time, reason, device, protocol, field, message. */
export function listLine(stored: StoredLetter): string {
  const { id, letter } = stored;
  if (letter === null) return `${id}  ${written(id)}  unreadable: ${short(stored.error.message)}\n`;
  const cells = [
    id,
    written(id),
    letter.reason.padEnd(WIDTHS.reason),
    short(letter.deviceId).padEnd(WIDTHS.device),
    short(letter.protocol).padEnd(WIDTHS.protocol),
    short(letter.field),
    short(letter.message),
  ];
  return `${cells.join('  ')}\n`;
}

export function listJson(stored: StoredLetter): string {
  return `${JSON.stringify(summarize(stored))}\n`;
}

/** A line for each thing in the letter, and an empty one behind it. */
export function showText(stored: StoredLetter): string {
  const { at, ...rest } = describe(stored);
  const lines = Object.entries({
    ...rest,
    ...(stored.letter && { meaning: REASONS[stored.letter.reason].meaning }),
    ...(typeof at === 'number' && { received: new Date(at).toISOString() }),
  });
  const given = lines.filter(([, value]) => value !== null && value !== '');
  return `${given.map(([name, value]) => `${name.padEnd(12)}${printable(value)}\n`).join('')}\n`;
}

export function showJson(stored: StoredLetter): string {
  return `${JSON.stringify(describe(stored))}\n`;
}
