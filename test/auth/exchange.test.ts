/** One request over kept connections, with a server that ends them in every way there is. */
import { once } from 'node:events';
import type { Server } from 'node:http';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, beforeEach, expect, test } from 'vitest';
import type { HttpAnswer } from '../../src/auth/directus/exchange.ts';
import { HttpExchange } from '../../src/auth/directus/exchange.ts';
import { eventually } from '../support/eventually.ts';

let server: Server;
let exchange: HttpExchange;
/** Ports of the clients' ends, one for each request. */
let ports: (number | undefined)[];

beforeEach(async () => {
  ports = [];
  server = createServer((request, response) => {
    ports.push(request.socket.remotePort);
    if (request.url === '/half') response.write('{"data":');
    else if (request.url === '/cut') response.write('{"data":', () => { request.socket.destroy(); });
    else if (request.url === '/moved') response.writeHead(302, { location: '/' }).end();
    else request.pipe(response);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  exchange = new HttpExchange(2);
});

afterEach(() => {
  exchange.stop();
  server.closeAllConnections();
  server.close();
});

function send(path: string, body?: string, signal: AbortSignal = new AbortController().signal): Promise<HttpAnswer> {
  const { port } = server.address() as AddressInfo;
  return exchange.send({ method: 'SEARCH', url: new URL(path, `http://127.0.0.1:${port}`), headers: {}, body, signal });
}

test('gives status and text, and keeps the connection', async () => {
  expect(await send('/', 'größer')).toEqual({ status: 200, text: 'größer' });
  expect(await send('/', 'again')).toEqual({ status: 200, text: 'again' });
  expect(new Set(ports).size).toBe(1);
});

test('follows no redirect', async () => {
  expect(await send('/moved')).toEqual({ status: 302, text: '' });
});

test('a connection that the server closed while it was idle is not seen by the next request', async () => {
  await send('/', 'one');
  server.closeAllConnections();
  expect(await send('/', 'two')).toEqual({ status: 200, text: 'two' });
});

test('an answer that is cut off is an error', async () => {
  await expect(send('/cut')).rejects.toThrow('aborted');
});

test('a signal ends a request whose answer has begun, with its reason', async () => {
  const abort = new AbortController();
  const sent = send('/half', undefined, abort.signal);
  await eventually(() => { expect(ports).toHaveLength(1); });
  abort.abort(new Error('overdue'));
  await expect(sent).rejects.toThrow(/abort/);
  expect(await send('/', 'next')).toEqual({ status: 200, text: 'next' });
});

test('no server is an error', async () => {
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, 'close');
  const url = new URL(`http://127.0.0.1:${port}/`);
  await expect(exchange.send({ method: 'GET', url, headers: {}, body: undefined, signal: new AbortController().signal })).rejects.toThrow('ECONNREFUSED');
});
