/** What answers of Directus 11 mean: a server that answers as that was seen to answer. */
import { createServer } from 'node:http';
import type { IncomingMessage } from 'node:http';
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { DirectusClient } from '../../src/auth/directus/client.ts';
import { identify } from '../../src/auth/directus/identity.ts';
import { DirectusPermissions } from '../../src/auth/directus/permissions.ts';
import { claimsOf, isWellFormed } from '../../src/auth/directus/token.ts';
import type { Credential, Identity, Resource } from '../../src/auth/provider.ts';
import { UserDirectory } from '../../src/auth/directus/user-directory.ts';

interface Request {
  readonly method: string | undefined;
  readonly url: string | undefined;
  readonly headers: IncomingMessage['headers'];
  readonly body: { readonly query?: Query };
}

interface Query {
  readonly filter: Record<string, { readonly _in: string[] }>;
  readonly limit: number;
}

type Answer = { readonly status: number; readonly body: unknown } | 'silence' | 'hang up' | 'slow';

let answer: (request: Request) => Answer;
let requests: Request[];
let asked: string[];
let client: DirectusClient;
const server = createServer((request, response) => {
  let text = '';
  request.on('data', (chunk: Buffer) => { text += chunk.toString(); });
  request.on('end', () => {
    const { method, url, headers } = request;
    const one = { method, url, headers, body: text === '' ? {} : JSON.parse(text) as Request['body'] };
    requests.push(one);
    const given = answer(one);
    if (given === 'hang up') request.socket.destroy();
    else if (given === 'slow') setTimeout(() => response.end('{"data":{}}'), 60);
    else if (given !== 'silence') {
      response.writeHead(given.status, { 'content-type': 'application/json' });
      response.end(typeof given.body === 'string' ? given.body : JSON.stringify(given.body));
    }
  });
});

const data = (value: unknown): Answer => ({ status: 200, body: { data: value } });
const error = (status: number, code: string): Answer =>
  ({ status, body: { errors: [{ message: code, extensions: { code } }] } });

beforeAll(async () => {
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
});
afterAll(() => { server.closeAllConnections(); server.close(); });
afterEach(() => { client.stop(); });
beforeEach(() => {
  requests = [];
  asked = [];
  const { port } = server.address() as AddressInfo;
  client = new DirectusClient(`http://127.0.0.1:${port}/`, 2, (result) => { asked.push(result); });
});

const JWT_OF_ROLE = (claims: object): string => ['e30', Buffer.from(JSON.stringify(claims)).toString('base64url'), 'sig'].join('.');
const EXPIRES_AT = 1_900_000_000_000;
const JWT = JWT_OF_ROLE({ id: 'alice', role: 'viewer', exp: EXPIRES_AT / 1_000 });
const credential = (secret: string): Credential => ({ kind: 'bearer', secret, address: '10.1.2.3' });
const me = { id: 'alice', status: 'active', role: 'viewer' };

describe('who a credential belongs to', () => {
  interface More {
    readonly serviceToken?: string;
    readonly acceptUnknownStatus?: boolean;
    readonly known?: Identity;
  }
  const ask = (secret = JWT, { serviceToken, acceptUnknownStatus = false, known }: More = {}) => {
    const directory = serviceToken === undefined ? null : new UserDirectory(client, serviceToken, 300);
    return identify({ client, timeoutMs: 300, directory, acceptUnknownStatus }, credential(secret), known ?? null);
  };

  test.each<[what: string, given: Answer, secret: string, expected: object]>([
    ['an active user', data(me), JWT, { outcome: 'accepted', identity: { userId: 'alice', expiresAt: EXPIRES_AT } }],
    ['the owner of a static token, whose status Directus looks at', data({ id: 'alice' }), 'static-token-1', { outcome: 'accepted', identity: { userId: 'alice', expiresAt: null } }],
    ['a suspended user, whose JWT goes on working', data({ ...me, status: 'suspended' }), JWT, { outcome: 'refused', code: 'user_inactive' }],
    ['a user with another role than the JWT', data({ ...me, role: 'editor' }), JWT, { outcome: 'refused', code: 'role_changed' }],
    ['a user without a role any more', data({ ...me, role: null }), JWT, { outcome: 'refused', code: 'role_changed' }],
    ['a user whose status nobody may read', data({ id: 'alice' }), JWT, { outcome: 'refused', code: 'status_unknown' }],
    ['a share link, which is no user', data({ share: 'x' }), JWT, { outcome: 'refused', code: 'credential_refused' }],
    ['nobody', error(401, 'INVALID_CREDENTIALS'), JWT, { outcome: 'refused', code: 'credential_refused' }],
    ['an expired JWT', error(401, 'TOKEN_EXPIRED'), JWT, { outcome: 'refused', code: 'credential_expired' }],
    ['a JWT with a bad signature, which is 403', error(403, 'INVALID_TOKEN'), JWT, { outcome: 'refused', code: 'credential_refused' }],
    ['one that may not ask', error(403, 'FORBIDDEN'), JWT, { outcome: 'refused', code: 'credential_refused' }],
    ['nobody knows: too many requests', error(429, 'REQUESTS_EXCEEDED'), JWT, { outcome: 'unavailable' }],
    ['nobody knows: under pressure', error(503, 'SERVICE_UNAVAILABLE'), JWT, { outcome: 'unavailable' }],
    ['nobody knows: an error inside', error(500, 'INTERNAL_SERVER_ERROR'), JWT, { outcome: 'unavailable' }],
    ['nobody knows: something that is no Directus', { status: 200, body: '<html>' }, JWT, { outcome: 'unavailable' }],
    ['nobody knows: a redirect', { status: 302, body: '' }, JWT, { outcome: 'unavailable' }],
    ['nobody knows: no answer in time', 'silence', JWT, { outcome: 'unavailable' }],
    ['nobody knows: no connection', 'hang up', JWT, { outcome: 'unavailable' }],
  ])('%s', async (_what, given, secret, expected) => {
    answer = () => given;
    expect(await ask(secret)).toMatchObject(expected);
  });

  test.each(['', ' ', 'a b', 'short', 'ünïcödé-token', 'x'.repeat(4_097), 'line\nbreak-token'])(
    'a token that Directus would take for none is not sent: %j', async (secret) => {
      expect(await ask(secret)).toMatchObject({ outcome: 'refused', code: 'credential_refused' });
      expect(requests).toEqual([]);
      expect(isWellFormed(secret)).toBe(false);
    });

  test('the service account says what the user may not read of itself', async () => {
    answer = ({ url }) => (url?.startsWith('/users/me') === true ? data({ id: 'alice' }) : data([{ ...me, status: 'suspended' }]));
    expect(await ask(JWT, { serviceToken: 'service-token' })).toMatchObject({ outcome: 'refused', code: 'user_inactive' });
    expect(requests.map(({ method, headers }) => [method, headers.authorization])).toEqual([['GET', `Bearer ${JWT}`], ['SEARCH', 'Bearer service-token']]);
  });

  test('a deleted user is not found by the service account, though the JWT still works', async () => {
    answer = ({ url }) => (url?.startsWith('/users/me') === true ? data({ id: 'alice' }) : data([]));
    expect(await ask(JWT, { serviceToken: 'service-token' })).toMatchObject({ outcome: 'refused', code: 'user_inactive' });
  });

  test('a service account that may not read users is no yes', async () => {
    answer = ({ url }) => (url?.startsWith('/users/me') === true ? data(me) : error(403, 'FORBIDDEN'));
    expect(await ask(JWT, { serviceToken: 'service-token' })).toMatchObject({ outcome: 'unavailable' });
  });

  test('many at once are few questions of the service account, and somebody known is one of its questions alone', async () => {
    answer = ({ url, body }) => {
      if (url?.startsWith('/users/me') === true) return data({ id: 'alice' });
      return data((body.query!.filter.id!._in).map((id) => ({ ...me, id })));
    };
    const directory = new UserDirectory(client, 'service-token', 300);
    const options = { client, timeoutMs: 300, directory, acceptUnknownStatus: false };
    const known = (n: number): Identity => ({ userId: `user-${n}`, expiresAt: null });
    const one = (_: unknown, n: number) => identify(options, credential(JWT), known(n));
    const all = await Promise.all(Array.from({ length: 2_500 }, one));
    expect(new Set(all.map(({ outcome }) => outcome))).toEqual(new Set(['accepted']));
    const asked = requests.map(({ url, body }) => `${url} ${body.query?.limit}`);
    expect(asked).toEqual(['/users 1000', '/users 1000', '/users 500']);
    requests = [];
    answer = () => data([]);
    expect(await identify(options, credential(JWT), known(1))).toMatchObject({ outcome: 'refused', code: 'user_inactive' });
    expect(requests).toHaveLength(1);
  });

  test('an unknown status may be accepted on purpose', async () => {
    answer = () => data({ id: 'alice' });
    expect(await ask(JWT, { acceptUnknownStatus: true })).toMatchObject({ outcome: 'accepted' });
  });

  test('the caller is named to Directus, with a credential always', async () => {
    answer = () => data(me);
    await ask();
    expect(requests[0]?.headers).toMatchObject({ authorization: `Bearer ${JWT}`, 'x-forwarded-for': '10.1.2.3' });
  });
});

describe('claims of a token', () => {
  test('are read where there are any', () => {
    expect(claimsOf(JWT)).toEqual({ userId: 'alice', role: 'viewer', expiresAt: EXPIRES_AT });
    expect(claimsOf(JWT_OF_ROLE({}))).toEqual({ userId: null, role: null, expiresAt: null });
    for (const text of ['static', 'a.b', 'a.b.c', `${JWT}.d`, 'e30.bnVsbA.x']) expect(claimsOf(text)).toBeNull();
  });
});

describe('what may be read', () => {
  const devices = { collection: 'devices', field: 'unique_id' };
  const options = { devices, groups: { collection: 'groups', field: 'id' }, timeoutMs: 300 };
  const ask = (...resources: readonly Resource[]) =>
    new DirectusPermissions({ ...options, client }).authorise(credential(JWT), resources);
  const device = (id: string): Resource => ({ kind: 'device', id });
  const echo = (ids: readonly string[]): Answer => data(ids.map((id) => ({ unique_id: id })));

  test('is what comes back, and nothing else that comes back', async () => {
    answer = () => echo(['b', 'somebody-elses']);
    expect(await ask(device('a'), device('b'))).toEqual({ outcome: 'decided', allowed: new Set(['device:b']) });
    expect(requests[0]).toMatchObject({ method: 'SEARCH', url: '/items/devices', body: { query: { filter: { unique_id: { _in: ['a', 'b'] } }, limit: 2 } } });
  });

  test('is asked for devices and groups apart, each only where there are any', async () => {
    answer = ({ url }) => (url === '/items/devices' ? echo(['a']) : data([{ id: 'g' }]));
    expect(await ask(device('a'), { kind: 'group', id: 'g' })).toEqual({ outcome: 'decided', allowed: new Set(['device:a', 'group:g']) });
    expect(requests.map(({ url }) => url).sort()).toEqual(['/items/devices', '/items/groups']);
  });

  test('of 5,000 devices is five questions, and fewer at once where Directus allows fewer', async () => {
    const ids = Array.from({ length: 5_000 }, (_, n) => String(n));
    answer = ({ body }) => echo(body.query!.filter.unique_id!._in);
    expect(await ask(...ids.map(device))).toMatchObject({ allowed: { size: 5_000 } });
    expect(requests.map(({ body }) => body.query!.limit)).toEqual([1_000, 1_000, 1_000, 1_000, 1_000]);
    requests = [];
    answer = ({ body }) => (body.query!.limit > 200 ? error(400, 'INVALID_QUERY') : echo(body.query!.filter.unique_id!._in));
    expect(await ask(...ids.map(device))).toMatchObject({ allowed: { size: 5_000 } });
    expect(requests.map(({ body }) => body.query!.limit).slice(0, 5)).toEqual([1_000, 500, 250, 125, 125]);
  });

  test('no identifier spoils the question of the others, or makes it smaller for good', async () => {
    const bad = ['$CURRENT_USER.x', '$NOW', '$CURRENT_ROLES', '$current_policies.y', 'null', 'NULL'];
    answer = ({ body }) => {
      const ids = body.query!.filter.unique_id!._in;
      return ids.some((id) => id.startsWith('$') || id === 'poison') ? error(400, 'INVALID_QUERY') : echo(ids);
    };
    const permissions = new DirectusPermissions({ ...options, client });
    const put = (...ids: readonly string[]) => permissions.authorise(credential(JWT), ids.map(device));
    expect(await put(...bad, 'a', 'nullable')).toEqual({ outcome: 'decided', allowed: new Set(['device:a', 'device:nullable']) });
    expect(requests).toHaveLength(1);
    expect(await put('a', 'b', 'poison', 'c')).toEqual({ outcome: 'decided', allowed: new Set(['device:a', 'device:b', 'device:c']) });
    requests = [];
    await put(...Array.from({ length: 1_000 }, (_, n) => String(n)));
    expect(requests).toHaveLength(1);
  });

  test.each<[what: string, read: object | undefined, isAllowed: boolean]>([
    ['whom no rule narrows', { access: 'full', fields: ['*'] }, true],
    ['who may read the identifier among others', { access: 'full', fields: ['id', 'unique_id'] }, true],
    ['who may read other fields only', { access: 'full', fields: ['id', 'name'] }, false],
    ['who may read no field', { access: 'full' }, false],
    ['whom a rule narrows', { access: 'partial', fields: ['*'] }, false],
    ['who may not', { access: 'none' }, false],
    ['of whom nothing is said', undefined, false],
  ])('everything, for one %s', async (_what, read, isAllowed) => {
    answer = () => data(read === undefined ? {} : { devices: { read } });
    expect(await ask({ kind: 'all' })).toEqual({ outcome: 'decided', allowed: new Set(isAllowed ? ['*'] : []) });
  });

  test.each<[what: string, given: Answer, expected: object]>([
    ['no right on the collection is a no', error(403, 'FORBIDDEN'), { outcome: 'decided', allowed: new Set() }],
    ['a dead credential', error(401, 'INVALID_CREDENTIALS'), { outcome: 'refused', code: 'credential_refused' }],
    ['a dead credential that is 403', error(403, 'INVALID_TOKEN'), { outcome: 'refused', code: 'credential_refused' }],
    ['an overload', error(429, 'REQUESTS_EXCEEDED'), { outcome: 'unavailable' }],
    ['an error inside', error(500, 'INTERNAL_SERVER_ERROR'), { outcome: 'unavailable' }],
    ['an answer of another shape', data('yes'), { outcome: 'unavailable' }],
    ['no answer', 'silence', { outcome: 'unavailable' }],
  ])('%s', async (_what, given, expected) => {
    answer = () => given;
    expect(await ask(device('a'))).toMatchObject(expected);
  });
});

describe('what a credential reaches beyond single devices', () => {
  const devices = { collection: 'devices', field: 'unique_id' };
  const access = async () => {
    const permissions = new DirectusPermissions({ client, devices, groups: { collection: 'groups', field: 'id' }, timeoutMs: 300 });
    const found = await permissions.accessOf(credential(JWT));
    if (found.outcome !== 'decided') return found;
    const { role, scopes, reach } = found.access;
    return { role, scopes: [...scopes], reach: reach.kind, mayWrite: found.access.mayWrite('any') };
  };
  const full = { access: 'full', fields: ['*'] };
  const partial = { access: 'partial', fields: ['*'] };
  const none = { access: 'none' };
  const viewer = { role: 'viewer', scopes: ['read'], reach: 'asked', mayWrite: false };

  test.each([
    ['a rule for reading', { read: partial, create: none, update: none, delete: none }, viewer],
    ['no rule for reading', { read: full, create: none, update: none, delete: none }, { ...viewer, reach: 'all' }],
    ['reading without the identifier', { read: { access: 'full', fields: ['name'] } }, viewer],
    ['no rule for updating', { read: partial, update: full }, { role: 'editor', scopes: ['read', 'write'], reach: 'asked', mayWrite: true }],
    ['a rule for updating', { read: full, update: partial }, { ...viewer, reach: 'all' }],
    ['creating alone', { read: full, create: full }, { ...viewer, reach: 'all' }],
    ['no rule at all', { read: full, create: full, update: full, delete: full }, { role: 'admin', scopes: ['read', 'write', 'admin'], reach: 'all', mayWrite: true }],
  ])('with %s', async (_what, mine, expected) => {
    answer = () => data({ devices: mine, others: { read: full, create: full, update: full, delete: full } });
    expect(await access()).toEqual(expected);
    expect(requests).toMatchObject([{ method: 'GET', url: '/permissions/me' }]);
  });

  test.each([
    ['no rule narrows the groups', { read: full }, { kind: 'all' }],
    ['a rule for groups', { read: partial }, { kind: 'all', groups: 'asked' }],
    ['groups without their id', { read: { access: 'full', fields: ['name'] } }, { kind: 'all', groups: 'asked' }],
    ['no permission for groups', undefined, { kind: 'all', groups: 'asked' }],
  ])('of all devices with %s is asked about groups where it has to be', async (_what, groups, expected) => {
    answer = () => data({ devices: { read: full }, ...(groups === undefined ? {} : { groups }) });
    const permissions = new DirectusPermissions({ client, devices, groups: { collection: 'groups', field: 'id' }, timeoutMs: 300 });
    expect(await permissions.accessOf(credential(JWT))).toMatchObject({ outcome: 'decided', access: { reach: expected } });
  });

  test.each<[string, Answer]>([
    ['no permission for devices', data({})],
    ['an answer that is none', data('nonsense')],
    ['a refusal', error(403, 'FORBIDDEN')],
  ])('of %s is as little as can be', async (_what, given) => {
    answer = () => given;
    expect(await access()).toEqual(viewer);
  });

  test('is not known while Directus cannot be asked, and nothing for a dead credential', async () => {
    answer = () => 'hang up';
    expect(await access()).toMatchObject({ outcome: 'unavailable' });
    answer = () => error(401, 'TOKEN_EXPIRED');
    expect(await access()).toMatchObject({ outcome: 'refused', code: 'credential_refused' });
  });
});

describe('the client', () => {
  const request = { method: 'GET', path: '/users/me', token: 'static-token-1', address: '', timeoutMs: 300 } as const;

  test('asks no more than so much at once; the others wait within their time', async () => {
    let atOnce = 0;
    let most = 0;
    answer = () => {
      most = Math.max(most, (atOnce += 1));
      setImmediate(() => { atOnce -= 1; });
      return data(me);
    };
    await Promise.all(Array.from({ length: 50 }, () => client.ask({ ...request, timeoutMs: 5_000 })));
    expect(most).toBeLessThanOrEqual(2);
    answer = () => 'silence';
    const waiting = await Promise.allSettled(Array.from({ length: 6 }, () => client.ask(request)));
    expect(waiting.map(({ status }) => status)).toEqual(Array.from({ length: 6 }, () => 'rejected'));
    expect(requests).toHaveLength(52);
  });

  test('turns away who would wait too long, at once', async () => {
    answer = () => data(me);
    await client.ask(request);
    // Two at once that take 100 ms each: no more than four can be answered within 60 % of 300 ms.
    const slow = new DirectusClient(`http://127.0.0.1:${(server.address() as AddressInfo).port}`, 2, () => undefined);
    answer = () => 'slow';
    for (let n = 0; n < 60; n += 2) await Promise.all([slow.ask(request), slow.ask(request)]);
    const startedAt = performance.now();
    const outcomes = await Promise.allSettled(Array.from({ length: 30 }, () => slow.ask(request)));
    const answered = outcomes.filter(({ status }) => status === 'fulfilled');
    expect(answered.length).toBeGreaterThan(1);
    expect(answered.length).toBeLessThan(10);
    expect(performance.now() - startedAt).toBeLessThan(320);
  });

  test('leaves a Directus alone that failed five times, and asks again after a moment', async () => {
    answer = () => error(503, 'SERVICE_UNAVAILABLE');
    for (let n = 0; n < 10; n += 1) await client.ask(request).catch((failure: unknown) => failure);
    expect(requests).toHaveLength(5);
    expect(asked).toEqual(Array.from({ length: 10 }, () => 'unavailable'));
  });

  test('asks again on a new connection where the old one was closed', async () => {
    const answers: Answer[] = [data(me), 'hang up', data(me), 'hang up', 'hang up'];
    answer = () => answers.shift()!;
    for (let n = 0; n < 2; n += 1) expect(await client.ask(request)).toEqual({ kind: 'data', data: me });
    expect(requests).toHaveLength(3);
    // A connection that is closed before anything was answered on it is no old one.
    await expect(client.ask(request)).rejects.toThrow('socket hang up');
  });
});
