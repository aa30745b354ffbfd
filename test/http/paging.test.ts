/** Lists have one shape, whichever route gives them: as the OpenAPI document says of all of them. */
import { expect, test } from 'vitest';
import { readText } from '../deploy/files.ts';

interface Schema {
  readonly $ref?: string;
  readonly properties?: Readonly<Record<string, { readonly description?: string }>>;
  readonly required?: readonly string[];
}

interface Operation {
  readonly parameters?: readonly { readonly name: string }[];
  readonly responses: Readonly<Record<string, {
    readonly headers?: Readonly<Record<string, unknown>>;
    readonly content?: Readonly<Record<string, { readonly schema: Schema }>>;
  }>>;
}

interface Document {
  readonly paths: Readonly<Record<string, Readonly<Record<string, Operation>>>>;
  readonly components: { readonly schemas: Readonly<Record<string, Schema>> };
}

interface Answer {
  readonly name: string;
  readonly parameters: readonly string[];
  readonly headers: readonly string[];
  readonly body: Schema;
}

/** Of every GET, what it takes and what its JSON is. */
async function answers(): Promise<Answer[]> {
  const { paths, components: { schemas } } = JSON.parse(await readText('docs/openapi.json')) as Document;
  return Object.entries(paths).flatMap(([path, { get }]) => {
    const { headers = {}, content = {} } = get?.responses[200] ?? {};
    const schema = content['application/json']?.schema ?? {};
    const body = schema.$ref === undefined ? schema : schemas[schema.$ref.split('/').at(-1) ?? ''] ?? {};
    const parameters = (get?.parameters ?? []).map(({ name }) => name);
    return { name: path, parameters, headers: Object.keys(headers), body };
  });
}

test('every list takes limit and cursor, and gives items, next and the header Link; nothing else gives any of these', async () => {
  const lists = (await answers()).filter(({ parameters }) => parameters.includes('cursor'));
  expect(lists.map(({ name }) => name).toSorted()).toEqual([
    '/v1/devices', '/v1/devices/{deviceId}/positions', '/v1/groups', '/v1/positions/latest', '/v1/summaries',
  ]);
  const [first] = lists;
  for (const { name, parameters, headers, body } of lists) {
    expect(parameters, name).toContain('limit');
    expect(headers, name).toContain('Link');
    expect(body.required, name).toEqual(expect.arrayContaining(['items', 'next']));
    expect(body.properties?.next, name).toEqual(first?.body.properties?.next);
  }
  const others = (await answers()).filter(({ parameters }) => !parameters.includes('cursor'));
  for (const { name, parameters, headers } of others) {
    expect([...parameters.filter((one) => one === 'limit'), ...headers.filter((one) => one === 'Link')], name).toEqual([]);
  }
});
