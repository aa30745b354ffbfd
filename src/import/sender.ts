/**
 * Sends records to `POST /v1/records` in batches, each with an Idempotency-Key that its content makes, so that a batch
 * that is sent again gets the answer of the first. What the server turns away for now (429, 503, a new device too many,
 * a connection that fails) is sent again after the time that it asks for.
 *
 * Errors: `RefusedError` for an answer that sending again does not change; `GaveUpError` when nothing was taken for
 * too long.
 */
import { createHash } from 'node:crypto';
import { promisify } from 'node:util';
import { gzip } from 'node:zlib';
import { z } from 'zod';
import { errorMessage } from '../shared/errors.ts';
import { PASSING_REASONS } from '../shared/record-reasons.ts';
import { pause } from '../shared/wait.ts';
import type { Fields } from './item.ts';
import type { Target } from './target.ts';
import { isLocal } from './target.ts';

const compress = promisify<Buffer, { level: number }, Buffer>(gzip);

const answerSchema = z.object({
  accepted: z.number().default(0),
  code: z.string().default(''),
  detail: z.string().default(''),
  errors: z.array(z.object({
    index: z.number().default(0), field: z.string(), reason: z.string(), message: z.string().default(''),
  })).default([]),
});

type Answer = z.infer<typeof answerSchema>;

export interface Rejection {
  /** Of the record, among those that were sent. */
  readonly index: number;
  readonly field: string;
  readonly reason: string;
  readonly message: string;
}

export interface SendResult {
  readonly accepted: number;
  readonly rejections: readonly Rejection[];
}

/** The server says no to all of it: the key, the scope, the route. */
export class RefusedError extends Error {
  override readonly name = 'RefusedError';
}

/** Nothing was taken for too long. */
export class GaveUpError extends Error {
  override readonly name = 'GaveUpError';
}

interface SenderOptions {
  readonly target: Target;
  /** Longest time that a batch is tried, milliseconds. */
  readonly giveUpMs: number;
  readonly interrupted: AbortSignal;
  /** Told why the server has to be waited for. */
  readonly onWait: (reason: string) => void;
}

const REQUEST_TIMEOUT_MS = 60_000;
const WAIT_MIN_MS = 500;
const WAIT_MAX_MS = 30_000;
/** New devices are let in at a pace of so many a minute. */
const PASSING_WAIT_MS = 5_000;
const GZIP_LEVEL = 1;

type Outcome =
  | { readonly kind: 'answered'; readonly answer: Answer }
  | { readonly kind: 'later'; readonly reason: string; readonly waitMs: number | null }
  | { readonly kind: 'too_large' };

function waitOf(response: Response): number | null {
  const seconds = Number(response.headers.get('retry-after') ?? Number.NaN);
  return Number.isFinite(seconds) ? Math.min(WAIT_MAX_MS, seconds * 1_000) : null;
}

async function answerOf(response: Response): Promise<Answer> {
  const text = await response.text();
  try {
    return answerSchema.parse(JSON.parse(text));
  } catch (error) {
    throw new RefusedError(`${response.status} is not an answer of Odograph: ${text.slice(0, 200)}`, { cause: error });
  }
}

async function outcomeOf(response: Response): Promise<Outcome> {
  const { status } = response;
  if (status === 429 || status === 408 || status === 409 || status >= 500) {
    const text = await response.text();
    return { kind: 'later', reason: `${status} ${/"detail":"([^"]*)"/.exec(text)?.[1] ?? ''}`.trim(), waitMs: waitOf(response) };
  }
  if (status === 413) {
    await response.body?.cancel();
    return { kind: 'too_large' };
  }
  const answer = await answerOf(response);
  if (status === 202 || answer.code === 'records_refused') return { kind: 'answered', answer };
  throw new RefusedError(`${status} ${answer.code}: ${answer.detail}`);
}

export class Sender {
  readonly #options: SenderOptions;

  constructor(options: SenderOptions) {
    this.#options = options;
  }

  /** Resolves when each record is kept or refused for good. @throws RefusedError, GaveUpError */
  async send(records: readonly Fields[]): Promise<SendResult> {
    const deadline = performance.now() + this.#options.giveUpMs;
    const rejections: Rejection[] = [];
    let accepted = 0;
    let pending = records.map((record, index) => ({ record, index }));
    while (pending.length > 0) {
      const sent = pending;
      const answer = await this.#answered(sent.map(({ record }) => record), deadline);
      if (answer === 'too_large') return await this.#halved(records);
      accepted += answer.accepted;
      const again: typeof pending = [];
      for (const { index, ...rest } of answer.errors) {
        const one = sent[index];
        if (one === undefined) continue;
        if (PASSING_REASONS.has(rest.reason) && performance.now() < deadline) again.push(one);
        else rejections.push({ ...rest, index: one.index });
      }
      pending = again;
      if (again.length > 0) await this.#wait(`${again.length} records are not let in yet`, PASSING_WAIT_MS, deadline);
    }
    return { accepted, rejections };
  }

  async #halved(records: readonly Fields[]): Promise<SendResult> {
    if (records.length === 1) {
      const rejection = { index: 0, field: '', reason: 'record_too_large', message: 'more than the server takes in one request' };
      return { accepted: 0, rejections: [rejection] };
    }
    const middle = Math.ceil(records.length / 2);
    const first = await this.send(records.slice(0, middle));
    const second = await this.send(records.slice(middle));
    const moved = second.rejections.map((rejection) => ({ ...rejection, index: rejection.index + middle }));
    return { accepted: first.accepted + second.accepted, rejections: [...first.rejections, ...moved] };
  }

  async #answered(records: readonly Fields[], deadline: number): Promise<Answer | 'too_large'> {
    const body = Buffer.from(records.map((record) => `${JSON.stringify(record)}\n`).join(''));
    const key = `import-${createHash('sha256').update(body).digest('base64url')}`;
    let waitMs = WAIT_MIN_MS;
    for (;;) {
      const outcome = await this.#post(body, key);
      if (outcome.kind === 'answered') return outcome.answer;
      if (outcome.kind === 'too_large') return 'too_large';
      await this.#wait(outcome.reason, outcome.waitMs ?? waitMs, deadline);
      waitMs = Math.min(WAIT_MAX_MS, waitMs * 2);
    }
  }

  async #wait(reason: string, waitMs: number, deadline: number): Promise<void> {
    const { interrupted, onWait, giveUpMs } = this.#options;
    if (performance.now() + waitMs > deadline) throw new GaveUpError(`nothing was taken for ${Math.round(giveUpMs / 1_000)} s: ${reason}`);
    onWait(reason);
    await pause(waitMs, interrupted);
    if (interrupted.aborted) throw new GaveUpError('interrupted');
  }

  async #post(body: Buffer, key: string): Promise<Outcome> {
    const { target } = this.#options;
    const packed = isLocal(target) ? body : await compress(body, { level: GZIP_LEVEL });
    const headers = {
      authorization: `Bearer ${target.key}`, 'content-type': 'application/x-ndjson', 'idempotency-key': key,
      ...(packed === body ? {} : { 'content-encoding': 'gzip' }),
    };
    try {
      const signal = AbortSignal.timeout(REQUEST_TIMEOUT_MS);
      return await outcomeOf(await fetch(target.url, { method: 'POST', headers, body: new Uint8Array(packed), signal, redirect: 'error' }));
    } catch (error) {
      if (error instanceof RefusedError) throw error;
      const { cause } = error as { cause?: unknown };
      return { kind: 'later', reason: `cannot reach ${target.url.origin}: ${errorMessage(cause ?? error)}`, waitMs: null };
    }
  }
}
