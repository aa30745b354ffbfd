/** The operations of an OpenAPI document, with what the fuzzer needs of them. References are resolved by `schemaAt`. */

/** JSON Schema, 2020-12, as far as the document uses it. */
export interface Schema {
  readonly $ref?: string;
  readonly type?: string | readonly string[];
  readonly enum?: readonly unknown[];
  readonly const?: unknown;
  readonly anyOf?: readonly Schema[];
  readonly oneOf?: readonly Schema[];
  readonly pattern?: string;
  readonly minLength?: number;
  readonly maxLength?: number;
  readonly minimum?: number;
  readonly maximum?: number;
  readonly items?: Schema;
  readonly minItems?: number;
  readonly maxItems?: number;
  readonly properties?: Readonly<Record<string, Schema>>;
  readonly required?: readonly string[];
  readonly propertyNames?: Schema;
  readonly additionalProperties?: Schema | boolean;
}

export interface Parameter {
  readonly in: 'query' | 'path' | 'header';
  readonly name: string;
  readonly required?: boolean;
  readonly schema: Schema;
}

export type Content = Readonly<Record<string, { readonly schema?: Schema }>>;

interface OperationObject {
  readonly operationId: string;
  readonly parameters?: readonly Parameter[];
  readonly requestBody?: { readonly content: Content };
  readonly responses: Readonly<Record<string, { readonly content?: Content }>>;
  readonly security?: readonly unknown[];
}

export interface ApiDocument {
  readonly paths: Readonly<Record<string, Readonly<Record<string, OperationObject>>>>;
  readonly components?: { readonly schemas?: Readonly<Record<string, Schema>> };
}

export interface Operation {
  readonly id: string;
  readonly method: string;
  /** With its parameters in braces. */
  readonly path: string;
  readonly parameters: readonly Parameter[];
  /** By media type; empty: it takes no body. */
  readonly body: Content;
  /** By status, then by media type; a status without content has no body. */
  readonly answers: Readonly<Record<string, Content>>;
  readonly isPublic: boolean;
}

/** What the document says of GET holds for HEAD, without the body; preflight requests may come for every path. */
export function impliedOperations(operations: readonly Operation[]): readonly Operation[] {
  const paths = new Map(operations.map((one) => [one.path, one]));
  return [
    ...operations.filter(({ method }) => method === 'GET').map((one) => ({ ...one, id: `HEAD ${one.path}`, method: 'HEAD' })),
    ...[...paths.values()].map((one) => ({ ...one, id: `OPTIONS ${one.path}`, method: 'OPTIONS', body: {}, answers: {}, isPublic: true })),
  ];
}

export function operationsOf({ paths }: ApiDocument): readonly Operation[] {
  return Object.entries(paths).flatMap(([path, methods]) => Object.entries(methods).map(([method, one]) => ({
    id: one.operationId,
    method: method.toUpperCase(),
    path,
    parameters: one.parameters ?? [],
    body: one.requestBody?.content ?? {},
    answers: Object.fromEntries(Object.entries(one.responses).map(([status, { content }]) => [status, content ?? {}])),
    isPublic: one.security?.length === 0,
  })));
}

/** What a reference names, or the schema itself. @throws Error for a reference that leads nowhere */
export function resolve(document: ApiDocument, schema: Schema): Schema {
  if (schema.$ref === undefined) return schema;
  const name = schema.$ref.replace('#/components/schemas/', '');
  const found = document.components?.schemas?.[name];
  if (found === undefined) throw new Error(`the document has no ${schema.$ref}`);
  return resolve(document, found);
}
