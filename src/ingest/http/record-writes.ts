/**
 * `POST /v1/records`, from the request to its answer: may this caller make another request, was this one made before,
 * is there room, write, report.
 *
 * Guarantee: the answer is 202 only when every record that it counts as accepted is in the stream at the durability of
 * INGEST_DURABILITY. With an Idempotency-Key the answer is kept before it is given.
 */
import type { FastifyReply, FastifyRequest } from 'fastify';
import type { Settings } from '../../config/settings.ts';
import type { Caller } from '../../http/caller.ts';
import { Problem } from '../../http/problem.ts';
import type { Redis } from '../../shared/redis.ts';
import { settledBy } from '../../shared/wait.ts';
import type { DevicePolicy } from '../device-policy.ts';
import type { Publisher } from '../publisher.ts';
import { checkFlow } from './append-window.ts';
import { bodyChunks, drain } from './body.ts';
import type { OnTooSlow } from './body.ts';
import type { HttpWriteEvents, Writer } from './events.ts';
import { HeldBodies } from './held-bodies.ts';
import { IdempotencyKeys } from './idempotency.ts';
import { RateLimit } from './rate-limit.ts';
import type { BodyForm, WriteOrder } from './record-writer.ts';
import { RecordWriter, StrictRefusal } from './record-writer.ts';
import { KeyUnavailableError, refusalOf, reportRefusal } from './refusals.ts';
import type { WriteReport } from './report.ts';
import { ReportBuilder } from './report.ts';

interface RecordWritesOptions {
  readonly settings: Settings;
  readonly publisher: Publisher;
  readonly policy: DevicePolicy;
  /** Not that of the publisher, on which a question would wait behind WAIT and WAITAOF. */
  readonly redis: Redis;
  readonly events: HttpWriteEvents;
  /** Redis was found to give what INGEST_DURABILITY asks for. */
  readonly isReady: () => boolean;
}

interface Refusing {
  readonly request: FastifyRequest;
  readonly reply: FastifyReply;
  readonly writer: Writer;
  readonly report: ReportBuilder;
}

export interface WriteRequest {
  readonly form: BodyForm;
  readonly strict: boolean;
  readonly idempotencyKey: string | null;
}

/** What a killed process was at can be sent again with its key so many times INGEST_APPEND_TIMEOUT_MS later. */
const LOCK_TIMEOUTS = 4;
/** Less would be a handful of questions to Redis a second. */
const MIN_LOCK_MS = 3_000;

export class RecordWrites {
  readonly #options: RecordWritesOptions;
  readonly #writer: RecordWriter;
  readonly #limit: RateLimit;
  readonly #keys: IdempotencyKeys;
  readonly #bodies: HeldBodies;
  readonly #underWay = new Set<Promise<unknown>>();
  #isStopping = false;

  constructor(options: RecordWritesOptions) {
    const { settings, publisher, policy, redis, events } = options;
    this.#options = options;
    const onAppended = (count: number): void => { events.appended(count); };
    this.#writer = new RecordWriter({ settings, publisher, policy, onAppended });
    const { INGEST_HTTP_REQUESTS_PER_MINUTE: requestsPerMinute } = settings;
    this.#limit = new RateLimit({ redis, requestsPerMinute, onFallback: (error) => { events.countedAlone(error); } });
    const lockMs = Math.max(MIN_LOCK_MS, LOCK_TIMEOUTS * settings.INGEST_APPEND_TIMEOUT_MS);
    this.#keys = new IdempotencyKeys({ redis, keepMs: settings.INGEST_HTTP_IDEMPOTENCY_MS, lockMs });
    const onChange = (bytes: number): void => { events.bodyBytes(bytes); };
    this.#bodies = new HeldBodies({ maxBytes: settings.INGEST_APPEND_QUEUE_BYTES, onChange });
  }

  /** Takes nothing new in, and resolves when what is under way is answered, or at the deadline. */
  async stop(deadline: AbortSignal): Promise<void> {
    this.#isStopping = true;
    await settledBy(deadline, ...this.#underWay);
  }

  /** Answers a request. @throws Problem */
  async handle(request: FastifyRequest, reply: FastifyReply, write: WriteRequest): Promise<void> {
    const answered = this.#answer(request, reply, write);
    const settled = answered.catch(() => 'told to the caller');
    this.#underWay.add(settled);
    try {
      await answered;
    } finally {
      this.#underWay.delete(settled);
    }
  }

  async #answer(request: FastifyRequest, reply: FastifyReply, write: WriteRequest): Promise<void> {
    const { events } = this.#options;
    const writer: Writer = { callerId: request.caller.id, requestId: request.id };
    const report = new ReportBuilder();
    try {
      if (this.#isStopping) throw new Problem('stopping', 'this process is being stopped', { retryAfterSeconds: 1 });
      if (!this.#options.isReady()) throw new Problem('unavailable', 'the stream is not there yet', { retryAfterSeconds: 2 });
      await this.#admit(writer, reply);
      checkFlow(this.#options.publisher);
      const result = await this.#write(request, write, report);
      if (result.kind === 'replayed') reply.header('idempotent-replayed', 'true');
      const refusal = reportRefusal(result.report, write.strict);
      if (refusal !== null) throw refusal;
      if (write.strict) reply.header('preference-applied', 'handling=strict');
      // Not through the serialiser of the schema, which takes seven times as long.
      await reply.code(202).type('application/json; charset=utf-8').send(JSON.stringify(result.report));
    } catch (error) {
      await this.#refuse(error, { request, reply, writer, report });
    } finally {
      events.rejected(writer, report.reasons);
    }
  }

  async #refuse(
    error: unknown,
    { request: { raw }, reply, writer, report }: Refusing,
  ): Promise<never> {
    const { events } = this.#options;
    const problem = refusalOf(error, report.accepted, writer, events);
    if (problem === null && raw.destroyed && !raw.complete) {
      events.clientGone(writer);
      // Nobody reads the answer.
      throw new Problem('request_timeout', 'the request ended before its body was complete');
    }
    await drain(raw);
    if (!raw.complete) reply.header('connection', 'close');
    throw problem ?? error;
  }

  async #admit(writer: Writer, reply: FastifyReply): Promise<void> {
    const admission = await this.#limit.admit(writer.callerId);
    if (admission === null) return;
    reply.headers(this.#limit.headers(admission));
    if (admission.admitted) return;
    this.#options.events.rateLimited(writer);
    const retryAfterSeconds = Math.max(1, Math.ceil(admission.resetMs / 1_000));
    throw new Problem('rate_limited', `more than ${this.#options.settings.INGEST_HTTP_REQUESTS_PER_MINUTE} requests in a minute`, { retryAfterSeconds });
  }

  async #write(request: FastifyRequest, write: WriteRequest, report: ReportBuilder): Promise<{ kind: 'written' | 'replayed'; report: WriteReport }> {
    const { raw, caller } = request;
    const { form, strict, idempotencyKey } = write;
    const { settings } = this.#options;
    const order = orderOf(caller, strict, report);
    if (form === 'ndjson' && !strict && idempotencyKey === null) {
      const limits = {
        idleMs: settings.INGEST_HTTP_STREAM_IDLE_MS, totalMs: settings.INGEST_HTTP_STREAM_TIMEOUT_MS,
        minBytesPerSecond: settings.INGEST_HTTP_STREAM_MIN_BYTES_PER_SECOND,
      };
      const onTooSlow: OnTooSlow = (tell) => { request.bodyPace?.stream(limits, tell); };
      await this.#writer.writeLines(bodyChunks(raw, settings.INGEST_HTTP_MAX_STREAM_BYTES, onTooSlow), order);
      return { kind: 'written', report: report.report() };
    }
    return this.#bodies.with(raw, settings.INGEST_HTTP_MAX_BODY_BYTES, async (body) => {
      if (idempotencyKey !== null) return this.#writeOnce(request, { form, strict, idempotencyKey, body }, order);
      await this.#writeWhole(form, body, order);
      return { kind: 'written', report: report.report() };
    });
  }

  async #writeWhole(form: BodyForm, body: Buffer, order: WriteOrder): Promise<void> {
    try {
      await this.#writer.writeWhole(form, body, order);
    } catch (error) {
      // The report says why.
      if (!(error instanceof StrictRefusal)) throw error;
    }
  }

  async #writeOnce(
    { caller, id: requestId }: FastifyRequest,
    { form, strict, idempotencyKey, body }: WriteRequest & { idempotencyKey: string; body: Buffer },
    order: WriteOrder,
  ): Promise<{ kind: 'written' | 'replayed'; report: WriteReport }> {
    const begun = await this.#begin(caller.id, idempotencyKey, [form, strict ? 'strict' : 'lenient', body]);
    if (begun.kind === 'replayed') return begun;
    const { claim } = begun;
    try {
      await this.#keys.hold(claim, () => this.#writeWhole(form, body, order));
    } catch (error) {
      await this.#settle({ callerId: caller.id, requestId }, this.#keys.release(claim));
      throw error;
    }
    const report = order.report.report();
    // An answer that says to come again must not be the answer to whoever does.
    const isFinal = (reportRefusal(report, strict)?.status ?? 202) < 500;
    const settled = isFinal ? this.#keys.keep(claim, JSON.stringify(report)) : this.#keys.release(claim);
    await this.#settle({ callerId: caller.id, requestId }, settled);
    return { kind: 'written', report };
  }

  async #begin(callerId: string, key: string, request: readonly (string | Buffer)[]) {
    const { events } = this.#options;
    const begun = await this.#keys.begin(callerId, key, request).catch((error: unknown) => {
      throw error instanceof Error ? new KeyUnavailableError(error.message, { cause: error }) : error;
    });
    switch (begun.kind) {
      case 'new':
        events.idempotencyKey('new');
        return begun;
      case 'answered':
        events.idempotencyKey('replayed');
        return { kind: 'replayed' as const, report: JSON.parse(begun.answer) as WriteReport };
      case 'busy':
        events.idempotencyKey('busy');
        throw new Problem('idempotency_key_in_use', 'the first request with this key is under way', { retryAfterSeconds: 1 });
      case 'mismatch':
        events.idempotencyKey('mismatch');
        throw new Problem('idempotency_key_reused', 'the key was used with another body');
    }
  }

  /** What cannot be kept in Redis changes nothing of what is true: the key is in use until its lock expires. */
  async #settle(writer: Writer, settled: Promise<void>): Promise<void> {
    await settled.catch((error: unknown) => { this.#options.events.answerNotKept(writer, error); });
  }
}

function orderOf(caller: Caller, strict: boolean, report: ReportBuilder): WriteOrder {
  return { mayWrite: (deviceId) => caller.mayWrite(deviceId), anyAge: caller.scopes.has('admin'), strict, report };
}
