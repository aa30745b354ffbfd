/** Sessions over an authority that says what the test wants. */
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import type { Access } from '../../src/auth/access.ts';
import type { AccessAnswer, AuthProvider, AuthorityChange, Authentication, Authorisation, Credential, Resource } from '../../src/auth/provider.ts';
import { resourceKey } from '../../src/auth/provider.ts';
import type { Holder, Session } from '../../src/auth/session.ts';
import { Sessions } from '../../src/auth/sessions.ts';

const VALIDITY_MS = 60_000;
const CREDENTIAL: Credential = { kind: 'bearer', secret: 'token-of-alice', address: '10.0.0.1' };
const REFUSED = { outcome: 'refused', code: 'credential_refused', message: 'no' } as const;
const UNAVAILABLE = { outcome: 'unavailable', message: 'away' } as const;

const VIEWER: Access = { role: 'viewer', scopes: new Set(['read']), reach: { kind: 'asked' }, mayWrite: () => false };

const device = (id: string): Resource => ({ kind: 'device', id });

class ScriptedProvider implements AuthProvider {
  readonly name = 'scripted';
  readonly cookieName = null;
  readonly takesQueryToken = false;
  authentication: Authentication = { outcome: 'accepted', identity: { userId: 'alice', expiresAt: null } };
  /** What may be read; or why nobody can say. */
  readable: Set<string> | Exclude<Authorisation, { outcome: 'decided' }> = new Set(['device:a', 'device:b']);
  access: AccessAnswer = { outcome: 'decided', access: VIEWER };
  authentications = 0;
  accessQuestions = 0;
  readonly questions: string[][] = [];
  announce: (change: AuthorityChange) => void = () => undefined;

  keyOf({ secret }: Credential): string {
    return secret;
  }

  async authenticate(_credential?: Credential): Promise<Authentication> {
    this.authentications += 1;
    return this.authentication;
  }

  async authorise(_credential: Credential, resources: readonly Resource[]): Promise<Authorisation> {
    const keys = resources.map(resourceKey);
    this.questions.push(keys);
    if (!(this.readable instanceof Set)) return this.readable;
    const { readable } = this;
    return { outcome: 'decided', allowed: new Set(keys.filter((key) => readable.has(key))) };
  }

  async accessOf(): Promise<AccessAnswer> {
    this.accessQuestions += 1;
    return this.access;
  }

  watch(onChange: (change: AuthorityChange) => void): void {
    this.announce = onChange;
  }

  stop(): void {
    this.announce = () => undefined;
  }
}

class RecordingHolder implements Holder {
  held: Resource[];
  readonly events: string[] = [];

  constructor(...held: Resource[]) {
    this.held = held;
  }

  resources(): Iterable<Resource> {
    return this.held;
  }

  revoked(resources: readonly Resource[]): void {
    this.events.push(`revoked ${resources.map(resourceKey).join()}`);
    this.held = this.held.filter((resource) => !resources.includes(resource));
  }

  ended({ code }: { code: string }): void {
    this.events.push(`ended ${code}`);
  }

  lapsed(): void {
    this.events.push('lapsed');
  }
}

let provider: ScriptedProvider;
let sessions: Sessions;
const results: string[] = [];

beforeEach(() => {
  vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval', 'setTimeout', 'clearTimeout', 'setImmediate', 'performance', 'Date'] });
  provider = new ScriptedProvider();
  results.length = 0;
  const events = { revalidated: (result: string) => { results.push(result); }, sessions: () => undefined };
  sessions = new Sessions({ provider, validityMs: VALIDITY_MS, revalidationsAtOnce: 3, events });
  sessions.start();
});

afterEach(() => {
  sessions.stop();
  vi.useRealTimers();
  vi.restoreAllMocks();
});

async function opened(credential = CREDENTIAL): Promise<Session> {
  const result = await sessions.open(credential);
  if (result.outcome !== 'accepted') throw new Error(result.message);
  return result.session;
}

/** The decisions on these devices, in order. */
async function decide(session: Session, ...ids: readonly string[]): Promise<(string | undefined)[]> {
  const asked = session.authorise(ids.map(device));
  await vi.advanceTimersByTimeAsync(0);
  const decisions = await asked;
  return ids.map((id) => decisions.get(`device:${id}`));
}

const passes = (ms: number): Promise<unknown> => vi.advanceTimersByTimeAsync(ms);

describe('opening a session', () => {
  test('asks once, whoever comes with the same credential and however often within its time', async () => {
    const together = await Promise.all([opened(), opened(), opened()]);
    expect(new Set(together).size).toBe(1);
    await passes(VALIDITY_MS - 1_000);
    expect(await opened()).toBe(together[0]);
    expect(provider.authentications).toBe(1);
    await passes(2_000);
    expect(await opened()).not.toBe(together[0]);
  });

  test('remembers a refusal for some seconds, and no failure to ask', async () => {
    provider.authentication = REFUSED;
    expect(await sessions.open(CREDENTIAL)).toBe(REFUSED);
    expect(await sessions.open(CREDENTIAL)).toBe(REFUSED);
    expect(provider.authentications).toBe(1);
    await passes(3_100);
    provider.authentication = UNAVAILABLE;
    expect(await sessions.open(CREDENTIAL)).toBe(UNAVAILABLE);
    expect(await sessions.open(CREDENTIAL)).toBe(UNAVAILABLE);
    expect(provider.authentications).toBe(3);
  });
});

describe('a decision', () => {
  test('is asked for together with the others of its moment, and a yes stands', async () => {
    const session = await opened();
    const [first, second] = await Promise.all([decide(session, 'a', 'x'), decide(session, 'b', 'a')]);
    expect([first, second]).toEqual([['allowed', 'forbidden'], ['allowed', 'allowed']]);
    expect(provider.questions).toEqual([['device:a', 'device:x', 'device:b']]);
    expect(await decide(session, 'a')).toEqual(['allowed']);
    expect(provider.questions).toHaveLength(1);
  });

  test('that is a no is asked again after some seconds', async () => {
    const session = await opened();
    expect(await decide(session, 'x')).toEqual(['forbidden']);
    provider.readable = new Set(['device:x']);
    expect(await decide(session, 'x')).toEqual(['forbidden']);
    await passes(3_100);
    expect(await decide(session, 'x')).toEqual(['allowed']);
  });

  test('that cannot be had is no decision, and not a yes', async () => {
    const session = await opened();
    provider.readable = UNAVAILABLE;
    expect(await decide(session, 'a')).toEqual(['unavailable']);
    provider.readable = new Set(['device:a']);
    expect(await decide(session, 'a')).toEqual(['allowed']);
  });

  test('is a no once the credential is dead, and those who use it are told', async () => {
    const session = await opened();
    const holder = new RecordingHolder(device('b'));
    session.holders.add(holder);
    provider.readable = REFUSED;
    expect(await decide(session, 'a')).toEqual(['forbidden']);
    expect(holder.events).toEqual(['ended credential_refused']);
    expect(await decide(session, 'b')).toEqual(['forbidden']);
  });
});

describe('asking again', () => {
  async function held(...ids: readonly string[]): Promise<{ session: Session; holder: RecordingHolder }> {
    const session = await opened();
    const holder = new RecordingHolder(...ids.map(device));
    session.holders.add(holder);
    await decide(session, ...ids);
    return { session, holder };
  }

  test('happens before the time is over, about everything that is held, and ends what is revoked', async () => {
    const { holder } = await held('a', 'b');
    provider.readable = new Set(['device:b']);
    await passes(VALIDITY_MS * 0.75);
    expect(holder.events).toEqual(['revoked device:a']);
    expect(provider.questions.at(-1)).toEqual(['device:a', 'device:b']);
    expect(results).toEqual(['confirmed']);
  });

  test('goes on for ever', async () => {
    const { holder } = await held('a');
    await passes(10 * VALIDITY_MS);
    expect(holder.events).toEqual([]);
    expect(results.length).toBeGreaterThan(9);
    expect(new Set(results)).toEqual(new Set(['confirmed']));
  });

  test('ends the session of a credential that is dead', async () => {
    const { holder } = await held('a');
    provider.authentication = { ...REFUSED, code: 'user_inactive' };
    await passes(VALIDITY_MS);
    expect(holder.events).toEqual(['ended user_inactive']);
    expect(results).toEqual(['ended']);
    expect(await sessions.open(CREDENTIAL)).toMatchObject({ outcome: 'refused', code: 'user_inactive' });
  });

  test('survives an authority that is away for less than the rest of the time', async () => {
    const { holder } = await held('a');
    provider.authentication = UNAVAILABLE;
    await passes(VALIDITY_MS * 0.95);
    provider.authentication = { outcome: 'accepted', identity: { userId: 'alice', expiresAt: null } };
    await passes(VALIDITY_MS * 0.2);
    expect(holder.events).toEqual([]);
    expect(results).toContain('unavailable');
    expect(results.at(-1)).toBe('confirmed');
  });

  test('that fails for too long lets everything lapse, and no later than the time is over', async () => {
    const { holder, session } = await held('a');
    provider.readable = UNAVAILABLE;
    await passes(VALIDITY_MS - 300);
    expect(holder.events).toEqual([]);
    await passes(600);
    expect(holder.events).toEqual(['lapsed']);
    expect(results.at(-1)).toBe('lapsed');
    expect(await decide(session, 'a')).toEqual(['unavailable']);
    expect(await opened()).not.toBe(session);
  });

  test('happens at once for a user of whom the authority says that something has changed', async () => {
    const { holder } = await held('a');
    const other = await opened({ ...CREDENTIAL, secret: 'token-of-bob' });
    other.holders.add(new RecordingHolder(device('b')));
    provider.readable = new Set();
    provider.announce({ userIds: ['somebody'] });
    await passes(300);
    expect(holder.events).toEqual([]);
    provider.announce({ userIds: ['alice'] });
    await passes(300);
    expect(holder.events).toEqual(['revoked device:a']);
  });

  test('happens at once for everybody where nobody knows whom a change concerns, and no old answer is used', async () => {
    const { holder, session } = await held('a');
    await decide(session, 'b', 'x');
    provider.readable = new Set(['device:x']);
    provider.announce('anything');
    expect(await decide(session, 'b', 'x')).toEqual(['forbidden', 'allowed']);
    await passes(300);
    expect(holder.events).toEqual(['revoked device:a']);
  });

  test('is not missed by a session that is being opened while something changes', async () => {
    const opening = sessions.open(CREDENTIAL);
    provider.announce({ userIds: ['alice'] });
    const result = await opening;
    if (result.outcome !== 'accepted') throw new Error('refused');
    result.session.holders.add(new RecordingHolder(device('a')));
    await passes(300);
    expect(results).toEqual(['confirmed']);
  });

  test('is of the longest due first, and of the next as soon as one is answered', async () => {
    vi.spyOn(Math, 'random').mockReturnValue(1);
    const tokens = Array.from({ length: 6 }, (_, n) => `token-${n}`);
    for (const secret of tokens) {
      (await opened({ ...CREDENTIAL, secret })).holders.add(new RecordingHolder(device('a')));
      await passes(1_000);
    }
    const asked: (string | undefined)[] = [];
    const { promise: released, resolve: release } = Promise.withResolvers<undefined>();
    const { authenticate } = provider;
    provider.authenticate = async (credential) => {
      asked.push(credential?.secret);
      await released;
      return authenticate.call(provider);
    };
    await passes(VALIDITY_MS * 0.7 + 1_000);
    expect(asked).toEqual(tokens.slice(0, 3));
    release(undefined);
    await passes(1);
    expect(asked).toEqual(tokens);
  });

  test('of five thousand sessions is spread, and a few at a time', async () => {
    let atOnce = 0;
    let most = 0;
    const { authenticate } = provider;
    provider.authenticate = async () => {
      most = Math.max(most, (atOnce += 1));
      await Promise.resolve();
      atOnce -= 1;
      return authenticate.call(provider);
    };
    for (let n = 0; n < 5_000; n += 1) {
      const session = await opened({ ...CREDENTIAL, secret: `token-${n}` });
      session.holders.add(new RecordingHolder(device('a')));
    }
    most = 0;
    await passes(VALIDITY_MS);
    expect(most).toBeLessThanOrEqual(3);
    expect(results.filter((result) => result === 'confirmed').length).toBeGreaterThanOrEqual(5_000);
  });
});

describe('the end of a credential', () => {
  test('ends its session, with a holder or without', async () => {
    provider.authentication = { outcome: 'accepted', identity: { userId: 'alice', expiresAt: Date.now() + 5_000 } };
    const session = await opened();
    const holder = new RecordingHolder(device('a'));
    session.holders.add(holder);
    await passes(4_900);
    expect(holder.events).toEqual([]);
    await passes(400);
    expect(holder.events).toEqual(['ended credential_expired']);
    provider.authentication = { ...REFUSED, code: 'credential_expired' };
    expect(await sessions.open(CREDENTIAL)).toMatchObject({ outcome: 'refused' });
  });
});

describe('what a credential reaches', () => {
  const opened = async (): Promise<Session> => {
    const answer = await sessions.open(CREDENTIAL);
    if (answer.outcome !== 'accepted') throw new Error(answer.outcome);
    return answer.session;
  };

  test('is asked once for all that ask, and again when it is in doubt', async () => {
    const session = await opened();
    const answers = await Promise.all([session.access(), session.access()]);
    expect(answers).toEqual([provider.access, provider.access]);
    await session.access();
    expect(provider.accessQuestions).toBe(1);
    session.doubt();
    await session.access();
    expect(provider.accessQuestions).toBe(2);
  });

  test('is asked again after an answer that was none, and never after the end', async () => {
    const session = await opened();
    provider.access = UNAVAILABLE;
    expect(await session.access()).toEqual(UNAVAILABLE);
    provider.access = REFUSED;
    expect(await session.access()).toEqual(REFUSED);
    provider.access = { outcome: 'decided', access: VIEWER };
    expect(await session.access()).toEqual(REFUSED);
    expect(provider.accessQuestions).toBe(2);
  });
});
