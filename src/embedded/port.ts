/**
 * Ports for servers that cannot pick one themselves. A free port may be lost to another process before the server
 * binds it, so a start on a port of our choice is tried again with another one.
 */
import { createServer } from 'node:net';
import { once } from 'node:events';
import type { Server } from './server.ts';
import { PortTakenError, ServerStartError } from './server.ts';

const ATTEMPTS = 3;

/** A TCP port that is free on `host` at this moment: `wanted` where given, undefined when that one is taken. */
export async function freePort(wanted = 0, host = '127.0.0.1'): Promise<number | undefined> {
  const probe = createServer();
  try {
    probe.listen({ port: wanted, host, exclusive: true });
    await once(probe, 'listening');
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'EADDRINUSE') return undefined;
    throw error;
  }
  const address = probe.address();
  probe.close();
  await once(probe, 'close');
  return typeof address === 'object' && address !== null ? address.port : undefined;
}

/**
 * Runs `start` with the wanted port, or with a free one when it is absent or 0.
 * @throws PortTakenError when the wanted port is taken; ServerStartError when no attempt succeeded.
 */
export async function startOnPort(
  name: string,
  wanted: number | undefined,
  start: (port: number) => Promise<Server>,
): Promise<Server> {
  for (let attempt = 1; ; attempt += 1) {
    const port = await freePort(wanted);
    if (port === undefined) throw new PortTakenError(name, wanted ?? 0);
    try {
      return await start(port);
    } catch (error) {
      const mayBePort = error instanceof ServerStartError && (wanted ?? 0) === 0;
      if (!mayBePort || attempt === ATTEMPTS) throw error;
    }
  }
}
