/** A server of a suite's own: what its tests do to it, and its start on the same data and port afterwards. */
import { chmod } from 'node:fs/promises';
import type { Server } from '../../src/embedded/server.ts';

export interface PrivateServer extends Server {
  readonly dataDir: string;
  /** SIGKILL, and waits for the end. */
  kill(): Promise<void>;
  /** SIGSTOP: connections stay, nothing answers. */
  freeze(): void;
  /** SIGCONT. */
  thaw(): void;
  /** After `stop` or `kill`: the same data on the same port, as a new server. */
  again(): Promise<PrivateServer>;
}

export async function privateServer(
  start: (port?: number) => Promise<Server>,
  dataDir: string,
): Promise<PrivateServer> {
  // PostgreSQL runs under another account when this is root.
  await chmod(dataDir, 0o755);
  const wrap = (server: Server): PrivateServer => ({
    ...server,
    dataDir,
    kill: async () => {
      process.kill(server.pid, 'SIGKILL');
      await server.ended;
    },
    freeze: () => {
      process.kill(server.pid, 'SIGSTOP');
    },
    thaw: () => {
      process.kill(server.pid, 'SIGCONT');
    },
    again: async () => wrap(await start(server.port)),
  });
  return wrap(await start());
}
