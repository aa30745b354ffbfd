/**
 * The reference page at `/v1/docs`: Swagger UI over the document of this server. Its files come from here and from
 * nowhere else, under a policy that forbids anything else.
 */
import swaggerUi from '@fastify/swagger-ui';
import type { FastifyInstance } from 'fastify';

export const REFERENCE_PATH = '/v1/docs';

const POLICY = {
  'default-src': "'none'",
  'script-src': "'self'",
  // Swagger UI writes style attributes into what it draws.
  'style-src': "'self' 'unsafe-inline'",
  'img-src': "'self' data:",
  'font-src': "'self' data:",
  'connect-src': "'self'",
  'base-uri': "'none'",
  'form-action': "'none'",
  'frame-ancestors': "'none'",
};

/** After the document. */
export async function registerReference(app: FastifyInstance): Promise<void> {
  await app.register(swaggerUi, {
    routePrefix: REFERENCE_PATH,
    staticCSP: POLICY,
    theme: { title: 'Odograph: HTTP API' },
    uiConfig: { deepLinking: true, docExpansion: 'list', validatorUrl: null, persistAuthorization: false, tryItOutEnabled: true },
  });
}
