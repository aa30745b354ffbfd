/**
 * A history as a stream of text: head, rows in batches, tail. The first rows are there before the answer begins, so
 * that a database which is away is a 503; one that goes later breaks the answer off, which a client sees as such: the
 * connection ends in the middle.
 */
import type { TextRow } from '../database.ts';
import type { QueryEvents } from '../events.ts';
import type { Writer } from '../formats/format.ts';
import type { Batches } from './batches.ts';

interface DownloadOptions {
  readonly writer: Writer;
  readonly format: string;
  readonly batches: Batches;
  readonly events: QueryEvents;
  readonly signal: AbortSignal;
}

async function* written(
  first: IteratorResult<readonly TextRow[], unknown>,
  rest: AsyncIterator<readonly TextRow[], unknown>,
  { writer, format, events, signal }: DownloadOptions,
): AsyncGenerator<string> {
  let failure: unknown = null;
  events.downloadStarted();
  try {
    let part = writer.head;
    for (let batch = first; batch.done !== true; batch = await rest.next()) {
      part += writer.rows(batch.value);
      if (part !== '') yield part;
      part = '';
    }
    yield part + writer.tail;
  } catch (error) {
    failure = error;
    throw error;
  } finally {
    await rest.return?.();
    events.downloadEnded(format, signal.aborted ? null : failure);
  }
}

/** @throws Problem before the first part when the first rows cannot be had */
export async function downloadOf(options: DownloadOptions): Promise<AsyncGenerator<string>> {
  const rows = options.batches[Symbol.asyncIterator]();
  return written(await rows.next(), rows, options);
}
