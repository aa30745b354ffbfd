/** The write route of the API: `POST /v1/records`. The body is read by its handler and by nothing before it. */
import type { ApiRoutes } from '../../http/routes.ts';
import { PROBLEM_RESPONSES } from '../../http/problem.ts';
import { validatorCompiler } from '../../http/validation.ts';
import { z } from 'zod';
import { recordSchema } from './record-schema.ts';
import type { BodyForm } from './record-writer.ts';
import type { RecordWrites } from './record-writes.ts';
import { reportSchema } from './report.ts';

const FORMS: Readonly<Record<string, BodyForm>> = {
  'application/json': 'json',
  'application/x-ndjson': 'ndjson',
  'application/ndjson': 'ndjson',
  'application/jsonl': 'ndjson',
};

const headersSchema = z.looseObject({
  'idempotency-key': z.string().regex(/^[\x21-\x7e]{1,255}$/, 'expected 1 to 255 printable characters without spaces').optional()
    .describe('The same key with the same body gets the same answer within 24 hours, and nothing is appended twice. The body is read as a whole: at most INGEST_HTTP_MAX_BODY_BYTES.'),
  prefer: z.string().optional()
    .describe('`handling=strict`: nothing is kept unless every record can be. The body is read as a whole: at most INGEST_HTTP_MAX_BODY_BYTES.'),
});

const DESCRIPTION = `Records as a JSON array, one record as an object, or a stream of records as NDJSON, a line each; also with
\`Content-Encoding\` gzip, deflate or br. 202 means that every record that it counts as accepted is durable, as INGEST_DURABILITY says.
Records that cannot be kept are named in \`errors\`, and the others are kept. A record is stored once however often it is sent:
its key is (deviceId, ts, eventId). An NDJSON stream is appended while it comes: when it ends with an error, what came before may be kept.`;

const STRICT = /(?:^|[,;])\s*handling\s*=\s*"?strict"?\s*(?:[,;]|$)/i;

/** The parts of a type that matter: without parameters. */
function formOf(contentType: string | undefined): BodyForm {
  const type = (contentType ?? '').split(';', 1)[0]?.trim().toLowerCase() ?? '';
  return FORMS[type] ?? 'json';
}

export function recordRoutes(writes: RecordWrites): ApiRoutes {
  return async (app) => {
    app.addContentTypeParser(Object.keys(FORMS), (_request, _payload, done) => { done(null); });
    app.route({
      method: 'POST',
      url: '/v1/records',
      config: { scope: 'write' },
      // Its bound is that of this route, and a body that is refused is not read to its end.
      decompress: false,
      schema: {
        operationId: 'writeRecords',
        summary: 'Write records',
        description: DESCRIPTION,
        tags: ['Records'],
        consumes: ['application/json', 'application/x-ndjson'],
        headers: headersSchema,
        body: z.union([z.array(recordSchema), recordSchema]),
        response: { 202: reportSchema, ...PROBLEM_RESPONSES },
      },
      // The handler reads the body, and checks it while it comes.
      validatorCompiler: (route) => (route.httpPart === 'body' ? (value: unknown) => ({ value }) : validatorCompiler(route)),
      handler: async (request, reply) => {
        const { prefer = '', 'idempotency-key': idempotencyKey = null } = request.headers;
        await writes.handle(request, reply, {
          form: formOf(request.headers['content-type']), strict: STRICT.test(prefer), idempotencyKey,
        });
        return reply;
      },
    });
  };
}
