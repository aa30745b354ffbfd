/** A TCP line that can go dead: what is sent on it arrives nowhere, and neither end is told. */
import { once } from 'node:events';
import type { AddressInfo, Socket } from 'node:net';
import { connect, createServer } from 'node:net';
import { onTestFinished } from 'vitest';

export interface Line {
  /** Where it begins, on the loopback address. */
  readonly port: number;
  /** Ends what is connected now, silently; who connects afterwards comes through. */
  goDead(): void;
}

/** A line to a port of this machine, until the end of the test. */
export async function openLine(port: number): Promise<Line> {
  const sockets = new Set<Socket>();
  const proxy = createServer((client) => {
    const server = connect(port, '127.0.0.1');
    for (const [from, to] of [[client, server], [server, client]] as const) {
      sockets.add(from);
      from.on('error', () => undefined).on('close', () => { to.destroy(); }).pipe(to);
    }
  });
  proxy.listen(0, '127.0.0.1');
  await once(proxy, 'listening');
  onTestFinished(() => {
    for (const socket of sockets) socket.destroy();
    proxy.close();
  });
  const goDead = (): void => { for (const socket of sockets) socket.unpipe().resume(); };
  return { port: (proxy.address() as AddressInfo).port, goDead };
}
