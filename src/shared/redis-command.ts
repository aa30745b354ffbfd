/**
 * Commands that carry much, both ways. ioredis assigns a function to a property of every command, V8 allocates such a
 * function among the old objects, and it holds the command. So whatever a command has carried would stay until the next
 * collection of the whole heap, however young it died: each young collection would find all of it alive and copy it.
 * These let go of it once they are answered.
 */
import { Command } from 'ioredis';
import type { Redis } from './redis.ts';

/**
 * Sends one command. `args` are read and not kept. @returns the reply, with Buffers for strings
 * @throws Error as the methods of `Redis` do: the error of the server, or that the connection is away
 */
export async function sendCommand(
  redis: Redis, name: string, args: (string | Buffer | number)[],
): Promise<unknown> {
  const command = new Command(name, args, { replyEncoding: null });
  try {
    const reply: unknown = await redis.sendCommand(command);
    // The command holds the array, and with it nothing any more.
    return Array.isArray(reply) ? reply.splice(0) : reply;
  } finally {
    command.args = [];
  }
}

/** What `send` sends before it first waits leaves in one write: the server reads all of it at once. */
export function inOneWrite<Sent>(redis: Redis, send: () => Sent): Sent {
  if (redis.status !== 'ready') return send();
  const { stream } = redis;
  stream.cork();
  try {
    return send();
  } finally {
    stream.uncork();
  }
}
