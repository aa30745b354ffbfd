/**
 * The live protocol for readers and for tools, made from the schemas and tables of `protocol.ts`: an AsyncAPI 3
 * document, and the tables of `docs/live-protocol.md`. Written by `npm run docs` and compared in CI.
 */
import { z } from 'zod';
import {
  CLOSES, ERRORS, REJECTIONS, STANDARD_CLOSES, authMessage, pingMessage,
  serverMessages, subscribeMessage, unsubscribeMessage,
} from './protocol.ts';

const clientMessages = {
  auth: authMessage, subscribe: subscribeMessage, unsubscribe: unsubscribeMessage, ping: pingMessage,
};

type JsonSchema = Readonly<Record<string, unknown>>;

function jsonSchema(schema: z.ZodType): JsonSchema {
  const { $schema: _dialect, ...rest } = z.toJSONSchema(schema, { target: 'draft-7', io: 'input' });
  return rest;
}

/** Names of messages are apart: a client and the server both say `auth`. */
function messagesOf(prefix: string, schemas: Readonly<Record<string, z.ZodType>>): Record<string, object> {
  const messages = Object.entries(schemas).map(([type, schema]) => {
    const { description, ...payload } = jsonSchema(schema);
    return [`${prefix}_${type}`, { name: type, summary: description, contentType: 'application/json', payload }];
  });
  return Object.fromEntries(messages) as Record<string, object>;
}

function references(path: string, names: readonly string[]): { readonly $ref: string }[] {
  return names.map((name) => ({ $ref: `#/${path}/${name}` }));
}

function channel(address: string, description: string, names: readonly string[]): object {
  const messages = Object.fromEntries(names.map((name) => [name, { $ref: `#/components/messages/${name}` }]));
  return { address, description, messages };
}

/** JSON, for `docs/asyncapi.json`. */
export function asyncApiDocument(): string {
  const client = messagesOf('client', clientMessages);
  const server = messagesOf('server', serverMessages);
  const [said, told] = [Object.keys(client), Object.keys(server)];
  const document = {
    asyncapi: '3.0.0',
    info: {
      title: 'Odograph live',
      version: '1.0.0',
      description: 'Every device on every screen: positions as they come in. docs/live-protocol.md says it in words.',
      license: { name: 'Apache-2.0', url: 'https://www.apache.org/licenses/LICENSE-2.0' },
    },
    defaultContentType: 'application/json',
    servers: {
      webSocket: { host: 'localhost:8081', protocol: 'ws', description: 'LIVE_WS_PORT; wss behind a proxy with TLS.' },
      events: { host: 'localhost:8081', protocol: 'http', description: 'The same port, for server-sent events.' },
    },
    channels: {
      live: { ...channel('/live', 'A WebSocket: JSON in text frames, both ways.', [...said, ...told]), servers: references('servers', ['webSocket']) },
      events: { ...channel('/live/sse', 'Server-sent events: each message is the data of one; topics are in the URL.', told), servers: references('servers', ['events']) },
    },
    operations: {
      say: { action: 'receive', summary: 'What a client says.', channel: { $ref: '#/channels/live' }, messages: references('channels/live/messages', said) },
      tell: { action: 'send', summary: 'What a client is told.', channel: { $ref: '#/channels/live' }, messages: references('channels/live/messages', told) },
      tellEvents: { action: 'send', summary: 'The same as events.', channel: { $ref: '#/channels/events' }, messages: references('channels/events/messages', told) },
    },
    components: { messages: { ...client, ...server } },
  };
  return `${JSON.stringify(document, null, 2)}\n`;
}

function cell(text: string): string {
  return text.replaceAll('|', '\\|');
}

function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]): string => `| ${cells.map(cell).join(' | ')} |`;
  return [line(head), line(head.map(() => '---')), ...rows.map(line)].join('\n');
}

/** `type`, and the other fields of a message with `?` where they may be absent. */
function fieldsOf(schema: z.ZodType): string {
  const described = jsonSchema(schema) as { properties?: object; required?: readonly string[] };
  const { properties = {}, required = [] } = described;
  const fields = Object.keys(properties).filter((name) => name !== 'type');
  return fields.map((name) => `\`${name}\`${required.includes(name) ? '' : '?'}`).join(', ') || '–';
}

function messageTable(schemas: Readonly<Record<string, z.ZodType>>): string {
  const rows = Object.entries(schemas).map(([type, schema]) => {
    return [`\`${type}\``, fieldsOf(schema), String(jsonSchema(schema)['description'])];
  });
  return table(['type', 'fields', 'what'], rows);
}

/** What a schema says of one field. */
interface Field {
  readonly description?: string;
  readonly type?: string | readonly string[];
  readonly anyOf?: readonly Field[];
  readonly maxLength?: number;
  readonly minItems?: number;
  readonly maxItems?: number;
}

const count = (value: number | undefined): string => (value ?? 0).toLocaleString('en');

/** In words, with its bounds. */
function typeOf({ type = '', anyOf, maxLength, minItems, maxItems }: Field): string {
  if (anyOf !== undefined) return anyOf.map(typeOf).join(' or ');
  if (typeof type !== 'string') return type.join(' or ');
  if (type === 'array') return `list of ${count(minItems)} to ${count(maxItems)} strings`;
  return maxLength === undefined ? type : `${type}, up to ${count(maxLength)} characters`;
}

function propertiesOf(schema: z.ZodType): [name: string, field: Field][] {
  return Object.entries((jsonSchema(schema) as { properties: Record<string, Field> }).properties);
}

/** The fields that clients write, each once: one name is the same in every message. */
function fieldTable(): string {
  const fields = new Map(Object.values(clientMessages).flatMap(propertiesOf));
  fields.delete('type');
  const rows = [...fields].map(([name, field]) => [`\`${name}\``, typeOf(field), field.description ?? '']);
  return table(['field', 'type', 'what'], rows);
}

function positionTable(): string {
  const plain = 'As the tracker reported it; null where it did not.';
  const rows = propertiesOf(serverMessages.position.shape.position)
    .map(([name, field]) => [`\`${name}\``, typeOf(field), field.description ?? plain]);
  return table(['field', 'type', 'what'], rows);
}

function rejectionTable(): string {
  const rows = Object.entries(REJECTIONS).map(([code, { status, meaning }]) => [String(status), `\`${code}\``, meaning]);
  return table(['status', 'code', 'what'], rows);
}

function closeTable(): string {
  const own = Object.values(CLOSES).map(({ code, meaning }) => [String(code), meaning] as const);
  const standard = Object.entries(STANDARD_CLOSES);
  return table(['code', 'what'], [...standard, ...own].sort(([a], [b]) => Number(a) - Number(b)));
}

/** Tables by the name of their place in `docs/live-protocol.md`. */
export function protocolTables(): Readonly<Record<string, string>> {
  return {
    'client messages': messageTable(clientMessages),
    'client fields': fieldTable(),
    'server messages': messageTable(serverMessages),
    position: positionTable(),
    errors: table(['code', 'what'], Object.entries(ERRORS).map(([code, { meaning }]) => [`\`${code}\``, meaning])),
    rejections: rejectionTable(),
    'close codes': closeTable(),
  };
}
