/** A server of a suite's own: what its tests do to it, and its start on the same data and port afterwards. */
import { chmod } from 'node:fs/promises';
import { descendantsOf } from '../../src/embedded/process-table.ts';
import type { Server } from '../../src/embedded/server.ts';

export interface PrivateServer extends Server {
  readonly dataDir: string;
  /** SIGKILL, and waits for the end. */
  kill(): Promise<void>;
  /** SIGSTOP, to all its processes: connections stay, nothing answers. */
  freeze(): Promise<void>;
  /** SIGCONT. */
  thaw(): Promise<void>;
  /** After `stop` or `kill`: the same data on the same port, as a new server. */
  again(): Promise<PrivateServer>;
}

/** First the parent, so that one that is stopped makes no more children. */
async function signalAll(pid: number, signal: NodeJS.Signals): Promise<void> {
  process.kill(pid, signal);
  for (const child of await descendantsOf(pid)) {
    try {
      process.kill(child, signal);
    } catch (error) {
      // One that has ended since needs no signal.
      if (!(error instanceof Error && 'code' in error && error.code === 'ESRCH')) throw error;
    }
  }
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
    freeze: () => signalAll(server.pid, 'SIGSTOP'),
    thaw: () => signalAll(server.pid, 'SIGCONT'),
    again: async () => wrap(await start(server.port)),
  });
  return wrap(await start());
}
