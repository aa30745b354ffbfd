/** The protocol as it is published: the AsyncAPI document is one, and the tables have every message, code and field. */
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { Ajv } from 'ajv';
import { describe, expect, it, test } from 'vitest';
import { asyncApiDocument, protocolTables } from '../../src/live/messages/protocol-document.ts';
import { CLOSES, ERRORS, clientMessage, parseClientMessage, serverMessages } from '../../src/live/messages/protocol.ts';
import { withSections } from '../../scripts/generated-sections.ts';

const specification = createRequire(import.meta.url).resolve('@asyncapi/specs/schemas/3.0.0-without-$id.json');

interface Described {
  readonly payload: object;
  readonly summary: string;
}

interface Document {
  readonly components: { readonly messages: Readonly<Record<string, Described>> };
}

const document = JSON.parse(asyncApiDocument()) as Document;
const ajv = new Ajv({ strict: false, validateFormats: false });

describe('the AsyncAPI document', () => {
  it('is what AsyncAPI 3.0.0 says that one is', () => {
    const validate = ajv.compile(JSON.parse(readFileSync(specification, 'utf8')) as object);
    expect(validate(document), JSON.stringify(validate.errors?.slice(0, 3))).toBe(true);
  });

  it('has every message, and says what each is', () => {
    const client = clientMessage.options.map((option) => `client_${option.shape.type.value}`);
    const server = Object.keys(serverMessages).map((type) => `server_${type}`);
    expect(Object.keys(document.components.messages).sort()).toEqual([...client, ...server].sort());
    for (const { summary } of Object.values(document.components.messages)) expect(summary).toMatch(/\.$/);
  });

  it.each([
    ['client_subscribe', { type: 'subscribe', topics: ['*'], ref: '1' }, true],
    ['client_subscribe', { type: 'subscribe', topic: 7 }, false],
    ['client_auth', { type: 'auth' }, false],
    ['server_unsubscribed', { type: 'unsubscribed', topic: '*', reason: 'revoked' }, true],
    ['server_unsubscribed', { type: 'unsubscribed', topic: '*', reason: 'bored' }, false],
  ])('describes %s %j: %s', (name, message, isValid) => {
    expect(ajv.validate(document.components.messages[name]!.payload, message)).toBe(isValid);
  });
});

describe('docs/live-protocol.md', () => {
  const tables = protocolTables();

  it.each(Object.keys(ERRORS))('has the error %s', (code) => { expect(tables.errors).toContain(`| \`${code}\` | `); });
  it.each(Object.values(CLOSES))('has the close code $code', ({ code, meaning }) => {
    expect(tables['close codes']).toContain(`| ${code} | ${meaning}`);
  });
  it.each(Object.keys(serverMessages))('has the message %s', (type) => { expect(tables['server messages']).toContain(`| \`${type}\` | `); });

  it('has close codes of its own in the 4400s only, each once', () => {
    const own = Object.values(CLOSES).map(({ code }) => code).filter((code) => code >= 3_000);
    expect(own.every((code) => code >= 4_400 && code < 4_500)).toBe(true);
    expect(new Set(own).size).toBe(own.length);
  });

  test('sections go to their places, and one that has none is an error', () => {
    const text = 'a\n<!-- begin x -->\nold\n<!-- end x -->\nb';
    expect(withSections(text, { x: 'new' })).toBe('a\n<!-- begin x -->\nnew\n<!-- end x -->\nb');
    expect(() => withSections(text, { x: '', y: '' })).toThrow('no place for: y');
    expect(() => withSections(text, {})).toThrow('no such section: x');
  });
});

describe('a message of a client', () => {
  it('is read as it is, and fields that are not of the protocol are passed over', () => {
    expect(parseClientMessage('{"type":"subscribe","topic":"*","uid":7}')).toEqual({ ok: true, message: { type: 'subscribe', topic: '*' } });
  });

  it.each([
    ['{"type":"subscribe","topic":7,"ref":"r"}', { ok: false, code: 'invalid_message', message: 'topic: Invalid input: expected string, received number', ref: 'r' }],
    ['{"type":"subscribe","ref":7}', { ok: false, code: 'invalid_message' }],
    ['', { ok: false, code: 'invalid_json' }],
  ])('that is wrong says which field is: %s', (text, expected) => {
    expect(parseClientMessage(text)).toMatchObject(expected);
  });
});
