/**
 * The bytes of a request's body, decompressed, never more than a bound: a small body that would decompress to a large
 * one is given up when it does. The request itself is not destroyed, so that it can still be answered.
 *
 * Errors: `BodyError` says what is wrong with the body; a client that goes away in the middle ends it with the error
 * of its connection.
 */
import type { IncomingMessage } from 'node:http';
import type { Transform } from 'node:stream';
import { createBrotliDecompress, createGunzip, createInflate } from 'node:zlib';
import { errorMessage } from '../../shared/errors.ts';
import { until } from '../../shared/wait.ts';

export class BodyError extends Error {
  override readonly name = 'BodyError';
  readonly code: 'unsupported_encoding' | 'too_large' | 'broken_encoding' | 'too_slow';

  constructor(code: BodyError['code'], message: string) {
    super(message);
    this.code = code;
  }
}

const CHUNK_BYTES = 64 * 1024;

const DECODERS: Readonly<Record<string, () => Transform>> = {
  gzip: () => createGunzip({ chunkSize: CHUNK_BYTES }),
  'x-gzip': () => createGunzip({ chunkSize: CHUNK_BYTES }),
  deflate: () => createInflate({ chunkSize: CHUNK_BYTES }),
  br: () => createBrotliDecompress({ chunkSize: CHUNK_BYTES }),
};

/** For `Accept-Encoding` of an answer that refuses any other. */
export const ENCODINGS = 'gzip, deflate, br';

/** null: not compressed. @throws BodyError for one that nobody knows here. */
function decoderOf(encoding: string): Transform | null {
  const name = encoding.trim().toLowerCase();
  if (name === '' || name === 'identity') return null;
  const create = Object.hasOwn(DECODERS, name) ? DECODERS[name] : undefined;
  if (create === undefined) throw new BodyError('unsupported_encoding', `Content-Encoding: expected one of ${ENCODINGS}`);
  return create();
}

async function* decoded(request: IncomingMessage, decoder: Transform): AsyncGenerator<Buffer, void, undefined> {
  const gone = (error?: Error): void => { decoder.destroy(error ?? new Error('the client went away')); };
  const closed = (): void => { if (!request.complete) gone(); };
  request.once('error', gone).once('close', closed);
  request.pipe(decoder);
  try {
    for await (const chunk of decoder) yield chunk as Buffer;
  } catch (error) {
    if (request.destroyed && !request.complete) throw error;
    throw new BodyError('broken_encoding', `Content-Encoding: ${errorMessage(error)}`);
  } finally {
    request.off('error', gone).off('close', closed);
    request.unpipe(decoder);
    decoder.destroy();
  }
}

function tooLarge(maxBytes: number): BodyError {
  return new BodyError('too_large', `the body is longer than ${maxBytes} bytes`);
}

/** Tells, once, why no more of the body is awaited. */
export type OnTooSlow = (tell: (reason: string) => void) => void;

/** The same chunks, until the client is too slow: what is awaited then is given up, and ends with the connection. */
function unlessTooSlow(chunks: AsyncIterable<Buffer>, onTooSlow: OnTooSlow): AsyncIterable<Buffer> {
  const iterator = chunks[Symbol.asyncIterator]();
  const state: { tooSlow: BodyError | null; giveUp(error: BodyError): void } =
    { tooSlow: null, giveUp: () => undefined };
  onTooSlow((reason) => {
    state.tooSlow = new BodyError('too_slow', reason);
    state.giveUp(state.tooSlow);
  });
  return {
    [Symbol.asyncIterator]: () => ({
      // A promise for each chunk: one for all would keep what waited for it until the end of the stream.
      next: () => new Promise((resolve, reject) => {
        state.giveUp = reject;
        if (state.tooSlow === null) iterator.next().then(resolve, reject);
        else reject(state.tooSlow);
      }),
      async return() {
        await iterator.return?.();
        return { done: true, value: undefined };
      },
    }),
  };
}

/**
 * The decompressed body in chunks.
 * @param onTooSlow is given what to call when the client is too slow. Absent: somebody else ends the request then
 * @throws BodyError, before the chunk that goes beyond the bound is given out
 */
export async function* bodyChunks(
  request: IncomingMessage,
  maxBytes: number,
  onTooSlow?: OnTooSlow,
): AsyncGenerator<Buffer, void, undefined> {
  const decoder = decoderOf(request.headers['content-encoding'] ?? '');
  if (decoder === null && Number(request.headers['content-length']) > maxBytes) throw tooLarge(maxBytes);
  const plain = decoder === null ? request.iterator({ destroyOnReturn: false }) : decoded(request, decoder);
  const chunks = plain as AsyncIterable<Buffer>;
  let bytes = 0;
  for await (const chunk of onTooSlow === undefined ? chunks : unlessTooSlow(chunks, onTooSlow)) {
    bytes += chunk.length;
    if (bytes > maxBytes) throw tooLarge(maxBytes);
    yield chunk;
  }
}

const DRAIN_BYTES = 16 * 1024 * 1024;
const DRAIN_MS = 1_000;

/**
 * Reads a little of what is left of a body that is refused, and forgets it: a client that is still sending when the
 * connection ends does not read the answer.
 */
export async function drain(request: IncomingMessage): Promise<void> {
  if (request.complete || request.destroyed) return;
  let bytes = 0;
  await until(AbortSignal.timeout(DRAIN_MS), (done) => {
    const count = (chunk: Buffer): void => {
      bytes += chunk.length;
      if (bytes > DRAIN_BYTES) done();
    };
    request.on('data', count).once('end', done).once('close', done).once('error', done);
    return () => { request.off('data', count).off('end', done).off('close', done).off('error', done); };
  });
}
