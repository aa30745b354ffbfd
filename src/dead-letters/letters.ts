/**
 * The letters that a selection names, page by page in the order in which they were written, so that memory does not
 * grow with the stream. What is written after the reading has begun is not among them.
 *
 * Errors: those of Redis. A letter that is not what the contract says is a value.
 */
import { DEAD_LETTER_STREAM, decodeDeadLetter } from '../shared/contracts/dead-letter-stream.ts';
import type { DeadLetter } from '../shared/contracts/dead-letter-stream.ts';
import { findLastGeneratedId } from '../shared/contracts/stream-info.ts';
import { CodecError } from '../shared/errors.ts';
import type { Redis } from '../shared/redis.ts';
import type { Selection } from './selection.ts';
import { isInTime, isSelected, timeOf } from './selection.ts';

/** A letter with its id; null where it cannot be read, and `error` says why. */
export type StoredLetter = { readonly id: string; readonly fields: readonly Buffer[] } & (
  | { readonly letter: DeadLetter }
  | { readonly letter: null; readonly error: CodecError }
);

export interface Page {
  readonly letters: readonly StoredLetter[];
  /** Letters that were looked at for this page. */
  readonly read: number;
  /** Ids that were asked for and are not there. */
  readonly missing: readonly string[];
}

/** A letter may hold the largest frame that ingest takes. */
const PAGE_LETTERS = 100;

type RawEntry = [id: Buffer, fields: Buffer[]];

function toLetter([id, fields]: RawEntry): StoredLetter {
  try {
    return { id: id.toString(), fields, letter: decodeDeadLetter(fields) };
  } catch (error) {
    if (!(error instanceof CodecError)) throw error;
    return { id: id.toString(), fields, letter: null, error };
  }
}

/** At most `selection.limit` letters over all pages. */
export async function* pagesOf(redis: Redis, selection: Selection): AsyncGenerator<Page> {
  let left = selection.limit;
  const pages = selection.ids.length > 0 ? pagesById(redis, selection.ids) : pagesByTime(redis, selection);
  for await (const { letters, ...found } of pages) {
    const selected = letters.filter(({ id, letter }) => isInTime(selection, id) && isSelected(selection, letter));
    const page = { ...found, letters: selected.slice(0, left) };
    yield page;
    left -= page.letters.length;
    if (left === 0) return;
  }
}

async function* pagesById(redis: Redis, ids: readonly string[]): AsyncGenerator<Page> {
  for (const id of ids) {
    const entries = await redis.xrangeBuffer(DEAD_LETTER_STREAM, id, id);
    yield { letters: entries.map(toLetter), read: entries.length, missing: entries.length === 0 ? [id] : [] };
  }
}

async function* pagesByTime(redis: Redis, { sinceMs, untilMs }: Selection): AsyncGenerator<Page> {
  const last = await findLastGeneratedId(redis, DEAD_LETTER_STREAM);
  if (last === undefined) return;
  const end = untilMs !== null && untilMs < timeOf(last) ? String(untilMs) : last;
  let start = String(sinceMs ?? 0);
  for (;;) {
    const entries = await redis.xrangeBuffer(DEAD_LETTER_STREAM, start, end, 'COUNT', PAGE_LETTERS);
    const [newest] = entries.at(-1) ?? [];
    if (newest === undefined) return;
    yield { letters: entries.map(toLetter), read: entries.length, missing: [] };
    start = `(${newest.toString()}`;
  }
}
