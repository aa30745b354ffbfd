/**
 * Many appends as few commands: those to one stream, with the same field names, are one script, which Redis runs as a
 * whole. A command a frame costs twice the CPU time of ingest, and Redis gains nothing by it. The order of the appends
 * to a stream is kept.
 *
 * Errors: Redis refuses a script for want of memory, or because it is a replica, at its first write: all of it failed.
 */
import { asError } from '../shared/errors.ts';
import type { Redis } from '../shared/redis.ts';
import { inOneWrite, sendCommand } from '../shared/redis-command.ts';
import type { StreamAppend } from './entries.ts';

/** KEYS: the stream. ARGV: how many fields an entry has, their names, and the values of one entry after the other. */
const APPEND = `
  local fields = tonumber(ARGV[1])
  local entry = {}
  for field = 1, fields do entry[2 * field - 1] = ARGV[field + 1] end
  for at = fields + 1, #ARGV - 1, fields do
    for field = 1, fields do entry[2 * field] = ARGV[at + field] end
    redis.call('XADD', KEYS[1], '*', unpack(entry))
  end`;

/** Appends to one stream that have the fields of the first. */
interface Group {
  readonly first: StreamAppend;
  readonly values: (string | Buffer)[];
  readonly number: number;
}

function hasFieldsOf(first: StreamAppend, { fields }: StreamAppend): boolean {
  if (fields.length !== first.fields.length) return false;
  for (let at = 0; at < fields.length; at += 2) if (fields[at] !== first.fields[at]) return false;
  return true;
}

function argumentsOf({ first, values }: Group): (string | Buffer | number)[] {
  const names = first.fields.filter((_, at) => at % 2 === 0);
  return [APPEND, 1, first.stream, names.length, ...names, ...values];
}

export class AppendCommands {
  readonly #groups: Group[] = [];
  /** The last group of each stream. */
  readonly #open = new Map<string, Group>();

  /** @returns the number of the command that makes this append: the index of its result */
  add(append: StreamAppend): number {
    const group = this.#groupFor(append);
    for (let at = 1; at < append.fields.length; at += 2) group.values.push(append.fields[at] ?? '');
    return group.number;
  }

  /** In one write, in their order. @returns the error of each command, null where it succeeded */
  async send(redis: Redis): Promise<readonly (Error | null)[]> {
    const sent = inOneWrite(redis, () =>
      this.#groups.map((group) => sendCommand(redis, 'EVAL', argumentsOf(group))));
    return await Promise.all(sent.map((reply) => reply.then(() => null, asError)));
  }

  #groupFor(append: StreamAppend): Group {
    const open = this.#open.get(append.stream);
    if (open !== undefined && hasFieldsOf(open.first, append)) return open;
    const group = { first: append, values: [], number: this.#groups.length };
    this.#groups.push(group);
    this.#open.set(append.stream, group);
    return group;
  }
}
