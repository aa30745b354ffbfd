/**
 * One viewer over server-sent events: the same messages as over WebSocket, each the `data` of an event. What it follows
 * is in the URL; where it was, when it connects again, in `Last-Event-ID`. A browser cannot ask again on a stream, so
 * one that has nothing left to show is ended, and the browser connects anew.
 */
import type { ServerResponse } from 'node:http';
import type { Credential, Refused } from '../../auth/provider.ts';
import { follow } from './following.ts';
import { SSE_COMMENT } from '../messages/frames.ts';
import type { Hub } from '../hub.ts';
import type { CloseReason } from '../messages/protocol.ts';
import { CLOSES } from '../messages/protocol.ts';
import type { Carrier } from './viewer.ts';
import { Viewer } from './viewer.ts';

export interface EventStreamOptions {
  readonly hub: Hub;
  readonly response: ServerResponse;
  readonly address: string;
  readonly onClosed: (stream: EventStream) => void;
}

/** How soon a browser connects again, milliseconds. */
const RETRY_MS = 2_000;
/** As of a WebSocket that the client has closed. */
const CLOSED_BY_CLIENT = 1_000;

const HEADERS = {
  'content-type': 'text/event-stream; charset=utf-8',
  'cache-control': 'no-store',
  // nginx would keep events back to send more at once.
  'x-accel-buffering': 'no',
} as const;

export class EventStream implements Carrier {
  readonly #options: EventStreamOptions;
  readonly #viewer: Viewer;
  #nextCommentAt: number;
  #closeReason: CloseReason | null = null;

  /** Begins the answer. */
  constructor(options: EventStreamOptions) {
    const { hub, response } = options;
    this.#options = options;
    this.#viewer = new Viewer(hub, 'sse', this);
    response.on('close', () => { this.#closed(); });
    response.writeHead(200, HEADERS);
    this.#viewer.outbox.push([Buffer.from(`retry: ${RETRY_MS}\n\n`)]);
    this.#viewer.outbox.flush();
    this.#nextCommentAt = this.#later();
  }

  /** Follows the topics, with a credential that was found to be good. */
  async start(credential: Credential, topics: readonly string[], resume: string | undefined): Promise<void> {
    await this.#viewer.signIn(credential);
    await follow(this.#viewer, { topics, resume });
    this.#endIfEmpty('access_ended');
  }

  /** What the passing of time asks for; `now` is monotonic, milliseconds. */
  tend(now: number): void {
    const { LIVE_WS_SLOW_CLIENT_TIMEOUT_MS: slowMs } = this.#options.hub.settings;
    const { outbox } = this.#viewer;
    if (outbox.stuckMs(now) >= slowMs) {
      this.#closeReason ??= 'slow_client';
      this.destroy();
    } else if (now >= this.#nextCommentAt && !outbox.isConflating) {
      this.#nextCommentAt = this.#later();
      outbox.push([SSE_COMMENT]);
      outbox.flush();
    }
  }

  /** Ends the answer once what was written before has gone. */
  close(reason: CloseReason): void {
    this.#closeReason ??= reason;
    this.#viewer.finish();
    this.#options.response.end();
  }

  destroy(): void {
    this.#options.response.destroy();
  }

  // What carries the messages of a viewer.

  write(chunk: Buffer, done: () => void): boolean {
    this.#options.response.write(chunk, done);
    return false;
  }

  pressed(): void {
    // Nothing is read of it in any case.
  }

  ended(refusal: Refused): void {
    this.#viewer.fail('auth_failed', refusal.message);
    this.close(refusal.code === 'credential_expired' ? 'credential_expired' : 'access_ended');
  }

  lost(): void {
    this.#endIfEmpty('access_ended');
  }

  #closed(): void {
    const { hub, address, onClosed } = this.#options;
    this.#viewer.close();
    const code = this.#closeReason === null ? CLOSED_BY_CLIENT : CLOSES[this.#closeReason].code;
    hub.events.disconnected('sse', address, code, this.#closeReason);
    onClosed(this);
  }

  #later(): number {
    return performance.now() + this.#options.hub.settings.LIVE_WS_PING_INTERVAL_MS;
  }

  #endIfEmpty(reason: CloseReason): void {
    if (this.#viewer.topicCount === 0) this.close(reason);
  }
}
