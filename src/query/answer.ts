/**
 * Answers that are text already: rows become JSON once, where they are read, and no serializer parses or rounds them
 * again. What may be asked for again and again has an ETag.
 */
import { Readable } from 'node:stream';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { isUnchanged } from '../http/etag.ts';
import type { Answer } from './cache/answer.ts';
import { answerOf } from './cache/answer.ts';
import { MEDIA_TYPES } from './formats/negotiation.ts';
import type { FormatName } from './formats/negotiation.ts';
import { nextLink } from './cursor.ts';

/** Aborts when the client goes before it has the answer. */
export function clientSignal({ raw }: Pick<FastifyReply, 'raw'>): AbortSignal {
  const gone = new AbortController();
  raw.once('close', () => {
    if (!raw.writableFinished) gone.abort();
  });
  return gone.signal;
}

/** An answer depends on who asks and in which form; a store of it has to know. */
const VARY = 'accept, authorization, cookie, origin';

/** Sends an answer of this format, or 304 where the client has the same already. */
export function sendAnswer(
  request: FastifyRequest, reply: FastifyReply, format: FormatName, { body, tag }: Answer,
): FastifyReply {
  const hasIt = isUnchanged(request, reply, tag);
  void reply.header('vary', VARY);
  if (hasIt) return reply.code(304).send();
  return reply.code(200).type(MEDIA_TYPES[format]).send(body);
}

/** The same of a text. */
export function sendText(request: FastifyRequest, reply: FastifyReply, format: FormatName, text: string): FastifyReply {
  return sendAnswer(request, reply, format, answerOf(text));
}

/** Names the next page for clients that go by headers. */
export function linkNext(request: FastifyRequest, reply: FastifyReply, next: string | null): void {
  if (next !== null) void reply.header('link', nextLink(request.url, next));
}

interface Download {
  readonly format: FormatName;
  /** Of a file, without its ending; null: it is not a file. */
  readonly fileName: string | null;
  readonly parts: AsyncIterable<string>;
}

/** What a file system and a header both take. */
function plainName(name: string): string {
  return name.replace(/[^\w.-]+/g, '_').slice(0, 100);
}

/** Sends parts as they come, each when the client has taken most of what was before. */
export function sendDownload(reply: FastifyReply, { format, fileName, parts }: Download): FastifyReply {
  void reply.code(200).type(MEDIA_TYPES[format]).header('cache-control', 'private, no-store').header('vary', VARY);
  if (fileName !== null) void reply.header('content-disposition', `attachment; filename="${plainName(fileName)}.${format}"`);
  // What HEAD asks for is made and thrown away by Fastify: there is nothing to make.
  const body = reply.request.method === 'HEAD' ? [] : parts;
  return reply.send(Readable.from(body, { objectMode: false }));
}
