/** Requests for a connection: what one that may become one brings, and the answer to one that may not. */
import { STATUS_CODES } from 'node:http';
import type { ServerResponse } from 'node:http';
import type { Duplex } from 'node:stream';
import type { Credential } from '../../auth/provider.ts';
import type { Hub } from '../hub.ts';
import type { Rejection } from '../messages/protocol.ts';
import { REJECTIONS } from '../messages/protocol.ts';

/** A request that passed the checks which both kinds of connection have in common. */
export interface LiveRequest {
  readonly hub: Hub;
  readonly query: URLSearchParams;
  readonly address: string;
  readonly credential: Credential | null;
}

/** Why a request is no connection. */
export interface RejectedRequest {
  readonly reason: Rejection;
  readonly message: string;
}

const RETRY_AFTER_S = 5;

/** Not `new URL`: it throws for what anybody can ask for, such as `GET //`. */
export function splitUrl(url = '/'): string[] {
  const question = url.indexOf('?');
  return question < 0 ? [url, ''] : [url.slice(0, question), url.slice(question + 1)];
}

function rejectionHeaders(status: number): Record<string, string> {
  return {
    'content-type': 'application/json',
    'cache-control': 'no-store',
    ...(status === 503 ? { 'retry-after': String(RETRY_AFTER_S) } : {}),
    ...(status === 426 ? { upgrade: 'websocket' } : {}),
  };
}

function rejectionBody(code: string, message: string): string {
  return `${JSON.stringify({ type: 'error', code, message })}\n`;
}

/** Answers a request for a WebSocket with an HTTP status, and ends its connection. */
export function refuseUpgrade(socket: Duplex, { reason, message }: RejectedRequest): void {
  const { status } = REJECTIONS[reason];
  const body = rejectionBody(reason, message);
  const headers = { ...rejectionHeaders(status), connection: 'close', 'content-length': String(Buffer.byteLength(body)) };
  const head = Object.entries(headers).map(([name, value]) => `${name}: ${value}\r\n`).join('');
  socket.end(`HTTP/1.1 ${status} ${STATUS_CODES[status] ?? ''}\r\n${head}\r\n${body}`, () => { socket.destroy(); });
}

export function refuseRequest(response: ServerResponse, { reason, message }: RejectedRequest): void {
  const { status } = REJECTIONS[reason];
  response.writeHead(status, rejectionHeaders(status)).end(rejectionBody(reason, message));
}
