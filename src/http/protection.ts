/** Headers that tell browsers to be careful, and compression. */
import { constants } from 'node:zlib';
import compress from '@fastify/compress';
import type { FastifyHelmetOptions } from '@fastify/helmet';
import helmet from '@fastify/helmet';
import type { FastifyInstance } from 'fastify';
import { fastify } from 'fastify';

/** Below, compression costs more than it saves; bytes. */
const COMPRESSION_THRESHOLD = 1_024;
/** Of 11: more takes many times as long for little. */
const BROTLI_QUALITY = 4;
/** What is text in some form. */
const COMPRESSIBLE = /^(?:text\/(?!event-stream)|application\/(?:[\w.-]+\+)?(?:json|xml|x-ndjson|ndjson|javascript)\b)/;

const PROTECTION: FastifyHelmetOptions = {
  contentSecurityPolicy: { useDefaults: false, directives: { 'default-src': ["'none'"], 'frame-ancestors': ["'none'"], 'base-uri': ["'none'"] } },
  // Pages of listed origins read what they ask for; whether they may CORS decides.
  crossOriginResourcePolicy: { policy: 'cross-origin' },
  referrerPolicy: { policy: 'no-referrer' },
  // Whoever ends TLS says for how long, and for which hosts.
  strictTransportSecurity: false,
};

/** What Helmet gives every answer: the same each time, so it is asked once. */
async function protectingHeaders(): Promise<Readonly<Record<string, string>>> {
  const app = fastify();
  await app.register(helmet, PROTECTION);
  const found: Record<string, string> = {};
  app.addHook('onSend', async (_request, reply) => {
    for (const [name, value] of Object.entries(reply.getHeaders())) found[name] = String(value);
  });
  app.get('/', (_request, reply) => reply.code(204).send());
  await app.inject('/');
  await app.close();
  return found;
}

/** Answers are data: a page that shows one has nothing to load and is in no frame. */
export async function protectBrowsers(app: FastifyInstance): Promise<void> {
  const headers = await protectingHeaders();
  app.addHook('onRequest', (_request, reply, done) => {
    reply.headers(headers);
    done();
  });
}

/**
 * Answers, streams too, where the client takes gzip or Brotli; a route that has to send every line at once says
 * `compress: false`. Bodies that come compressed are read as what they hold, up to the limit of the route.
 */
export async function compressAnswers(app: FastifyInstance): Promise<void> {
  await app.register(compress, {
    threshold: COMPRESSION_THRESHOLD,
    encodings: ['br', 'gzip'],
    requestEncodings: ['gzip', 'deflate', 'br', 'identity'],
    customTypes: COMPRESSIBLE,
    brotliOptions: { params: { [constants.BROTLI_PARAM_QUALITY]: BROTLI_QUALITY } },
  });
}
