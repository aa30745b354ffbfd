import { once } from 'node:events';
import { createServer } from 'node:net';
import type { AddressInfo, Server, Socket } from 'node:net';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { Connection } from '../../src/simulator/connection.ts';
import { dialer } from '../../src/simulator/connection.ts';
import { eventually } from '../support/eventually.ts';

const IMEI = '356307042441013';

let server: Server;
let port: number;
let peers: Socket[];
let received: Buffer;
let events: string[];

beforeEach(async () => {
  peers = [];
  received = Buffer.alloc(0);
  events = [];
  server = createServer((socket) => {
    peers.push(socket);
    socket.on('error', () => socket.destroy()).on('data', (chunk) => { received = Buffer.concat([received, chunk]); });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  port = (server.address() as AddressInfo).port;
});

afterEach(async () => {
  for (const peer of peers) peer.destroy();
  if (!server.listening) return;
  server.close();
  await once(server, 'close');
});

function dial(): Connection {
  return dialer('127.0.0.1', port)(IMEI, {
    accepted: () => events.push('accepted'),
    refused: (answer) => events.push(`refused ${answer}`),
    acknowledged: (records) => events.push(`acknowledged ${records}`),
    closed: (reason) => events.push(`closed ${reason}`),
  });
}

async function loggedIn(): Promise<Connection> {
  const connection = dial();
  await eventually(() => received.length === 17);
  peers[0]!.write(Buffer.from([1]));
  await eventually(() => events.length === 1);
  received = Buffer.alloc(0);
  return connection;
}

describe('a connection', () => {
  it('logs in with the IMEI and reports that it was accepted', async () => {
    const connection = dial();
    await eventually(() => received.length === 17);
    expect(received.toString('latin1')).toBe(`\0\x0f${IMEI}`);
    peers[0]!.write(Buffer.from([1]));
    await eventually(() => events.length === 1);
    expect(events).toEqual(['accepted']);
    connection.drop();
  });

  it('reports a refused login', async () => {
    const connection = dial();
    await eventually(() => received.length === 17);
    peers[0]!.write(Buffer.from([0]));
    await eventually(() => events.length === 1);
    expect(events).toEqual(['refused 0']);
    connection.drop();
  });

  it('puts acknowledgements together whatever the packets', async () => {
    const connection = await loggedIn();
    peers[0]!.write(Buffer.from([0, 0]));
    await eventually(() => { connection.send(Buffer.from([1])); return received.length > 3; });
    peers[0]!.write(Buffer.from([0, 5, 0, 0, 0, 7, 0, 0, 1]));
    await eventually(() => events.length === 3);
    peers[0]!.write(Buffer.from([2]));
    await eventually(() => events.length === 4);
    expect(events).toEqual(['accepted', 'acknowledged 5', 'acknowledged 7', 'acknowledged 258']);
    connection.drop();
  });

  it('tells when a frame is written', async () => {
    const connection = await loggedIn();
    let written = 0;
    connection.send(Buffer.alloc(1_000, 5), () => { written += 1; });
    await eventually(() => written === 1 && received.length === 1_000);
    connection.drop();
  });

  it('sends a byte at a time, and tells after the last', async () => {
    const connection = await loggedIn();
    const bytes = Buffer.from('slowly');
    let written = false;
    connection.sendSlowly(bytes, () => { written = true; });
    expect(written).toBe(false);
    await eventually(() => written && received.length === bytes.length);
    expect(received).toEqual(bytes);
    connection.drop();
  });

  it('reports once that the server ended it', async () => {
    await loggedIn();
    peers[0]!.end();
    await eventually(() => events.length === 2);
    expect(events).toEqual(['accepted', 'closed null']);
  });

  it('reports why there is no connection', async () => {
    server.close();
    await once(server, 'close');
    dial();
    await eventually(() => events.length === 1);
    expect(events[0]).toMatch(/^closed connect ECONNREFUSED/);
  });

  it('delivers what was written before a cut, and reports nothing after it', async () => {
    const connection = await loggedIn();
    connection.send(Buffer.alloc(500, 1));
    connection.cut();
    peers[0]!.write(Buffer.from([0, 0, 0, 1]));
    await once(peers[0]!, 'close');
    expect(received).toHaveLength(500);
    expect(events).toEqual(['accepted']);
  });
});
