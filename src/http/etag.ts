/**
 * Conditional requests: a route that can say cheaply which state its answer has says so before it makes the answer, and
 * whoever has that state is told that nothing has changed (304).
 */
import type { Hash } from 'node:crypto';
import { createHash } from 'node:crypto';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { z } from 'zod';

/** What a route with a tag may answer besides: to be spread into its `response`. */
export const UNCHANGED_RESPONSE = { 304: z.undefined().describe('Nothing has changed: the client has the answer that `If-None-Match` names.') } as const;

function weakTag(hash: Hash): string {
  return `W/"${hash.digest('base64url').slice(0, 22)}"`;
}

/** A weak tag: equal states make equal tags, whatever compression does to the bytes. Holds nothing of the state. */
export function etagOf(...state: readonly (string | number | bigint | null)[]): string {
  const hash = createHash('sha256');
  for (const part of state) hash.update(`${typeof part} ${String(part).length} ${String(part)} `);
  return weakTag(hash);
}

/** Of a whole answer. */
export function etagOfBytes(body: Uint8Array): string {
  return weakTag(createHash('sha256').update(body));
}

function opaque(tag: string): string {
  return tag.trim().replace(/^W\//, '');
}

/** An answer depends on who asks, and its headers on the page that does. */
const VARY = 'authorization, cookie, origin';

/**
 * Sets the tag of the answer. True: whoever asks has that state, and gets 304 from `reply.code(304).send()`. An answer
 * depends on who asks, so no cache but theirs may keep it.
 */
export function isUnchanged(request: FastifyRequest, reply: FastifyReply, tag: string): boolean {
  reply.header('etag', tag).header('cache-control', 'private, no-cache').header('vary', VARY);
  const { 'if-none-match': wanted } = request.headers;
  if (wanted === undefined) return false;
  return wanted.trim() === '*' || wanted.split(',').some((one) => opaque(one) === opaque(tag));
}
