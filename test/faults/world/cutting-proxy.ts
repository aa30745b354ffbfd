/**
 * A network between trackers and server that breaks: it passes everything on until it is told to cut, and then ends
 * each connection after one byte more than the one before, so that in the end there was a cut after every byte.
 */
import { once } from 'node:events';
import type { Server, Socket } from 'node:net';
import { connect, createServer } from 'node:net';

/** After how many bytes of which direction a connection ends. */
interface Cut {
  readonly direction: 'up' | 'down';
  readonly bytes: number;
}

export class CuttingProxy {
  readonly #server: Server;
  readonly #target: number;
  readonly #open = new Set<Socket>();
  #cuts: Cut[] = [];
  #onLast: (() => void) | null = null;

  private constructor(server: Server, target: number) {
    this.#server = server;
    this.#target = target;
    server.on('connection', (socket) => { this.#connected(socket); });
  }

  /** @param target port on this machine where connections go on to */
  static async start(target: number): Promise<CuttingProxy> {
    const proxy = new CuttingProxy(createServer(), target);
    proxy.#server.listen(0, '127.0.0.1');
    await once(proxy.#server, 'listening');
    return proxy;
  }

  get port(): number {
    const address = this.#server.address();
    return typeof address === 'object' && address !== null ? address.port : 0;
  }

  /** Cuts everything that is open, then each new connection a byte later than the last; resolves after the last cut. */
  async cut(cuts: readonly Cut[]): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<undefined>();
    this.#cuts = [...cuts];
    this.#onLast = () => { resolve(undefined); };
    for (const socket of this.#open) socket.resetAndDestroy();
    await promise;
  }

  stop(): void {
    this.#server.close();
    for (const socket of this.#open) socket.destroy();
  }

  #connected(down: Socket): void {
    const up = connect(this.#target, '127.0.0.1');
    for (const socket of [up, down]) {
      this.#open.add(socket);
      socket.on('error', () => undefined).on('close', () => {
        this.#open.delete(socket);
        up.destroy();
        down.destroy();
      });
    }
    const cut = this.#cuts.shift();
    this.#pass(down, up, cut?.direction === 'up' ? cut.bytes : Infinity);
    this.#pass(up, down, cut?.direction === 'down' ? cut.bytes : Infinity);
    if (cut !== undefined && this.#cuts.length === 0) down.once('close', () => { this.#onLast?.(); });
  }

  /** What is cut off in one direction ends both: half of the cuts are a reset, half an orderly end. */
  #pass(from: Socket, to: Socket, budget: number): void {
    let left = budget;
    from.on('data', (bytes: Buffer) => {
      const part = bytes.subarray(0, Math.min(left, bytes.length));
      left -= part.length;
      if (left > 0) to.write(part);
      else if (budget % 2 === 0) to.write(part, () => { to.resetAndDestroy(); });
      else to.end(part);
    });
  }
}
