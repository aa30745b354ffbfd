/** What Directus tells a service account over its WebSocket of changes to users and rights. */
import { once } from 'node:events';
import { WebSocket } from 'ws';
import { eventually } from '../../support/eventually.ts';

const COLLECTIONS = ['directus_users', 'directus_roles', 'directus_policies', 'directus_permissions', 'directus_access'];

export interface SystemEvent {
  readonly collection: string;
  readonly event: string;
  /** Keys of a deletion; `{ id }` of anything else. */
  readonly data: readonly unknown[];
}

interface Message {
  readonly type: string;
  readonly status?: string;
  readonly event?: string;
  readonly uid?: string;
  readonly data?: readonly unknown[];
}

export interface SystemEvents {
  /** All so far, in their order. */
  readonly seen: readonly SystemEvent[];
  close(): void;
}

/** Listens to all changes as the owner of `token`; each subscription has begun when this returns. */
export async function systemEvents(directusUrl: string, token: string): Promise<SystemEvents> {
  const socket = new WebSocket(`${directusUrl.replace(/^http/, 'ws')}/websocket`);
  const send = (message: object): void => {
    socket.send(JSON.stringify(message));
  };
  const seen: SystemEvent[] = [];
  const begun = new Set<string>();
  let failure: string | undefined;
  const handle = (text: string): void => {
    const { type, status, event = '', uid = '', data = [] } = JSON.parse(text) as Message;
    if (status === 'error') failure = text;
    else if (type === 'ping') send({ type: 'pong' });
    else if (type === 'auth') for (const collection of COLLECTIONS) subscribe(collection);
    else if (event === 'init') begun.add(uid);
    else if (type === 'subscription') seen.push({ collection: uid, event, data });
  };
  const subscribe = (collection: string): void => {
    send({ type: 'subscribe', collection, uid: collection, query: { fields: ['id'] } });
  };
  socket.on('message', (data: Buffer) => handle(data.toString()));
  await once(socket, 'open');
  send({ type: 'auth', access_token: token });
  await eventually(() => failure !== undefined || begun.size === COLLECTIONS.length);
  if (failure !== undefined) {
    socket.terminate();
    throw new Error(`Directus refuses to tell of changes: ${failure}`);
  }
  return { seen, close: () => socket.terminate() };
}
