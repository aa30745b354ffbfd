/**
 * Told by Directus, in the place of asking again and again: a service account listens on Directus's own WebSocket for
 * changes of users, roles, policies, permissions and accesses. What it says only makes decisions be asked again sooner;
 * nothing is decided by it, and without it they are asked again all the same.
 *
 * Connects for ever, with growing pauses. Before each connection anything may have changed, and is reported so.
 */
import { WebSocket } from 'ws';
import { z } from 'zod';
import { errorMessage } from '../../shared/errors.ts';
import { pause, until } from '../../shared/wait.ts';
import type { AuthorityChange } from '../provider.ts';

/** `connected`, or why not. */
export type OnWatch = (state: 'connected' | { readonly lost: string }) => void;

/** Lists of users name them; the others concern nobody knows whom. */
const USERS = 'directus_users';
const COLLECTIONS = [USERS, 'directus_roles', 'directus_policies', 'directus_permissions', 'directus_access'];

const RETRY_MIN_MS = 500;
const RETRY_MAX_MS = 30_000;
/** Directus sends a ping every 30 s unless told otherwise; three of them missing is a dead connection. */
const SILENCE_MS = 100_000;

const message = z.object({
  type: z.string(),
  status: z.string().optional(),
  event: z.string().optional(),
  uid: z.string().optional(),
  data: z.array(z.unknown()).optional(),
  error: z.object({ code: z.string() }).optional(),
});
const row = z.object({ id: z.string() });

type Message = z.infer<typeof message>;

/** A deleted user is only named by its key. */
function changeOf({ uid, data = [] }: Message): AuthorityChange {
  if (uid !== USERS) return 'anything';
  return { userIds: data.flatMap((item) => (typeof item === 'string' ? [item] : (row.safeParse(item).data?.id ?? []))) };
}

export class DirectusWatcher {
  readonly #url: string;
  readonly #token: string;
  readonly #onWatch: OnWatch;
  readonly #stopping = new AbortController();

  constructor(baseUrl: string, token: string, onWatch: OnWatch) {
    this.#url = `${baseUrl.replace(/\/+$/, '').replace(/^http/, 'ws')}/websocket`;
    this.#token = token;
    this.#onWatch = onWatch;
  }

  start(onChange: (change: AuthorityChange) => void): void {
    void this.#run(onChange);
  }

  stop(): void {
    this.#stopping.abort();
  }

  async #run(onChange: (change: AuthorityChange) => void): Promise<void> {
    const { signal } = this.#stopping;
    for (let failures = 0; !signal.aborted; failures += 1) {
      const { listened, reason } = await this.#listen(onChange);
      if (signal.aborted) return;
      this.#onWatch({ lost: reason });
      if (listened) failures = 0;
      await pause(Math.min(RETRY_MAX_MS, RETRY_MIN_MS * 2 ** Math.min(failures, 10)), signal);
    }
  }

  /** One connection, to its end. */
  async #listen(onChange: (change: AuthorityChange) => void): Promise<{ listened: boolean; reason: string }> {
    const socket = new WebSocket(this.#url, { handshakeTimeout: 10_000, maxPayload: 1024 * 1024 });
    const silence = setTimeout(() => { socket.terminate(); }, SILENCE_MS);
    let listened = false;
    let reason = 'Directus closed its WebSocket';
    const send = (value: object): void => { socket.send(JSON.stringify(value)); };
    const subscribe = (): void => {
      for (const collection of COLLECTIONS) send({ type: 'subscribe', collection, uid: collection, query: { fields: ['id'] } });
      listened = true;
      this.#onWatch('connected');
      onChange('anything');
    };
    const handle = (received: Message): void => {
      if (received.type === 'ping') send({ type: 'pong' });
      else if (received.status === 'error') {
        reason = `Directus refuses ${received.type}: ${received.error?.code ?? 'no code'}`;
        socket.terminate();
      } else if (received.type === 'auth') subscribe();
      else if (received.type === 'subscription' && received.event !== 'init') onChange(changeOf(received));
    };
    socket.on('open', () => { send({ type: 'auth', access_token: this.#token }); });
    socket.on('message', (data: Buffer) => {
      silence.refresh();
      const received = parse(data);
      if (received !== undefined) handle(received);
    });
    socket.on('error', (error) => { reason = errorMessage(error); });
    await this.#untilClosed(socket);
    clearTimeout(silence);
    return { listened, reason };
  }

  async #untilClosed(socket: WebSocket): Promise<void> {
    await until(this.#stopping.signal, (done) => {
      socket.once('close', done);
      return () => { socket.off('close', done); };
    });
    socket.terminate();
  }
}

/** undefined: not what Directus sends; whatever it is, it reports no change. */
function parse(data: Buffer): Message | undefined {
  try {
    return message.safeParse(JSON.parse(data.toString())).data;
  } catch {
    return undefined;
  }
}
