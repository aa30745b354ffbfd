/** The OpenAPI document of the routes, made from the schemas that validate, at `/v1/openapi.json`. */
import swagger from '@fastify/swagger';
import type { FastifyInstance } from 'fastify';
import { jsonSchemaTransform, jsonSchemaTransformObject } from 'fastify-type-provider-zod';

export const DOCUMENT_PATH = '/v1/openapi.json';

/** Before the routes, so that it sees them. */
export async function registerDocument(app: FastifyInstance): Promise<void> {
  await app.register(swagger, {
    openapi: {
      openapi: '3.1.0',
      info: { title: 'Odograph', version: '1', description: 'Records of GPS trackers: written and read over HTTP.' },
      components: {
        securitySchemes: {
          bearer: { type: 'http', scheme: 'bearer' },
        },
      },
    },
    transform: jsonSchemaTransform,
    transformObject: jsonSchemaTransformObject,
  });
  app.get(DOCUMENT_PATH, { config: { scope: 'public' }, schema: { hide: true } }, () => app.swagger());
}
