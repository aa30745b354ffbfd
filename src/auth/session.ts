/**
 * One credential and what the authority has said about it, shared by every connection that presents it. Questions of
 * one moment become one question; a yes stands until it is older than the time limit, a no for some seconds.
 */
import type { AccessAnswer, AuthProvider, Credential, Identity, Refused, Resource } from './provider.ts';
import { resourceKey } from './provider.ts';

export type Decision = 'allowed' | 'forbidden' | 'unavailable';

/** A connection that uses a session: it is told what it loses. */
export interface Holder {
  /** What it reads, and what it has asked to read. */
  resources(): Iterable<Resource>;
  /** These may not be read any more. */
  revoked(resources: readonly Resource[]): void;
  /** The credential is no longer good: nothing may be read with it. */
  ended(refusal: Refused): void;
  /** The authority could not be asked for so long that nothing it said stands any more. */
  lapsed(): void;
}

export interface SessionOptions {
  readonly key: string;
  readonly credential: Credential;
  readonly identity: Identity;
  readonly provider: AuthProvider;
  /** How long a yes stands, milliseconds. */
  readonly validityMs: number;
  /** When the authority was asked who this is; monotonic, milliseconds. */
  readonly askedAt: number;
}

interface Answer {
  readonly allowed: boolean;
  readonly at: number;
}

interface Question {
  readonly resource: Resource;
  readonly answered: ReturnType<typeof Promise.withResolvers<Decision>>;
}

/** Short, so that who is granted something and tries again gets it. */
const DENIAL_MS = 3_000;
/** Most answers kept of a session; beyond it those that nobody holds are forgotten. */
const ANSWERS_LIMIT = 20_000;

export class Session {
  readonly key: string;
  readonly credential: Credential;
  readonly holders = new Set<Holder>();
  readonly #options: SessionOptions;
  readonly #answers = new Map<string, Answer>();
  /** null: none is about to be put. */
  #questions: Map<string, Question> | null = null;
  #identity: Identity;
  #access: { readonly answer: Promise<AccessAnswer>; readonly at: number } | null = null;
  /** When the authority last said that all of this is so; monotonic, milliseconds. */
  #confirmedAt: number;
  #end: Refused | null = null;

  constructor(options: SessionOptions) {
    this.key = options.key;
    this.credential = options.credential;
    this.#options = options;
    this.#identity = options.identity;
    this.#confirmedAt = options.askedAt;
  }

  get identity(): Identity {
    return this.#identity;
  }

  /** How old what was said is, at `now` (monotonic, milliseconds). */
  ageMs(now: number): number {
    return now - this.#confirmedAt;
  }

  /** Why this session is over; null: it is not. */
  get end(): Refused | null {
    return this.#end;
  }

  /** May these be read? The answers by key, once all are there. */
  async authorise(resources: readonly Resource[]): Promise<ReadonlyMap<string, Decision>> {
    const decisions = await Promise.all(
      resources.map(async (resource) => [resourceKey(resource), await this.#decide(resource)] as const),
    );
    return new Map(decisions);
  }

  /** What the credential reaches. Those who ask at the same time share the question, and its answer for a while. */
  access(): Promise<AccessAnswer> {
    if (this.#end !== null) return Promise.resolve(this.#end);
    const known = this.#access;
    if (known !== null && performance.now() - known.at < this.#options.validityMs) return known.answer;
    const asked = { answer: this.#askAccess(), at: performance.now() };
    this.#access = asked;
    return asked.answer;
  }

  async #askAccess(): Promise<AccessAnswer> {
    const answer = await this.#options.provider.accessOf(this.credential, this.#identity);
    if (answer.outcome === 'refused') this.close(answer);
    if (answer.outcome !== 'decided') this.#access = null;
    return answer;
  }

  /**
   * Asks about the credential and everything that its holders read once more.
   * @returns false: the authority could not be asked, and what it said before stands for a while
   */
  async revalidate(): Promise<boolean> {
    const { provider } = this.#options;
    const startedAt = performance.now();
    const isUsed = this.#held().size > 0;
    const authentication = await provider.authenticate(this.credential, isUsed ? this.#identity : null);
    if (authentication.outcome === 'refused') this.close(authentication);
    if (authentication.outcome !== 'accepted') return authentication.outcome === 'refused';
    this.#identity = authentication.identity;
    const held = this.#held();
    // Whether the credential is still good was left to what it is used for, and it is used for nothing any more.
    if (isUsed && held.size === 0) return false;
    const authorised = held.size === 0 ? 'decided' : await this.#ask([...held.values()]);
    if (authorised !== 'decided') return authorised === 'refused';
    this.#confirmedAt = startedAt;
    this.#forgetUnheld(held);
    this.#revoke();
    return true;
  }

  /** Nothing may be read with this credential any more. */
  close(refusal: Refused): void {
    if (this.#end !== null) return;
    this.#end = refusal;
    for (const holder of [...this.holders]) holder.ended(refusal);
  }

  /** What was said so long ago stands no more. */
  lapse(): void {
    this.doubt();
    for (const holder of [...this.holders]) holder.lapsed();
  }

  /** Something may have changed: what was said is asked again before it is used again. */
  doubt(): void {
    this.#answers.clear();
    this.#access = null;
  }

  #decide(resource: Resource): Decision | Promise<Decision> {
    if (this.#end !== null) return 'forbidden';
    const key = resourceKey(resource);
    const known = this.#answers.get(key);
    if (known !== undefined && this.#stands(known)) return known.allowed ? 'allowed' : 'forbidden';
    const questions = this.#questions ?? this.#collectQuestions();
    let question = questions.get(key);
    if (question === undefined) {
      question = { resource, answered: Promise.withResolvers<Decision>() };
      questions.set(key, question);
    }
    return question.answered.promise;
  }

  #stands({ allowed, at }: Answer): boolean {
    return performance.now() - at < (allowed ? this.#options.validityMs : DENIAL_MS);
  }

  /** All that is asked in this turn of the event loop is one question. */
  #collectQuestions(): Map<string, Question> {
    const questions = new Map<string, Question>();
    this.#questions = questions;
    setImmediate(() => void this.#askAll(questions));
    return questions;
  }

  async #askAll(questions: ReadonlyMap<string, Question>): Promise<void> {
    this.#questions = null;
    const outcome = await this.#ask([...questions.values()].map(({ resource }) => resource));
    for (const [key, { answered }] of questions) {
      if (outcome === 'unavailable') answered.resolve('unavailable');
      else answered.resolve(this.#answers.get(key)?.allowed === true ? 'allowed' : 'forbidden');
    }
  }

  /** Puts the question, and keeps the answers with the time at which it was put. */
  async #ask(resources: readonly Resource[]): Promise<'decided' | 'refused' | 'unavailable'> {
    const at = performance.now();
    const authorisation = await this.#options.provider.authorise(this.credential, resources, this.#identity);
    if (authorisation.outcome === 'refused') this.close(authorisation);
    if (authorisation.outcome !== 'decided') return authorisation.outcome;
    for (const resource of resources) {
      const key = resourceKey(resource);
      this.#answers.set(key, { allowed: authorisation.allowed.has(key), at });
    }
    return 'decided';
  }

  /** What its holders read and have asked to read. */
  #held(): ReadonlyMap<string, Resource> {
    const held = new Map<string, Resource>();
    for (const holder of this.holders) for (const one of holder.resources()) held.set(resourceKey(one), one);
    return held;
  }

  #revoke(): void {
    for (const holder of [...this.holders]) {
      const isLost = (one: Resource): boolean => this.#answers.get(resourceKey(one))?.allowed === false;
      const lost = [...holder.resources()].filter(isLost);
      if (lost.length > 0) holder.revoked(lost);
    }
  }

  #forgetUnheld(held: ReadonlyMap<string, Resource>): void {
    if (this.#answers.size < ANSWERS_LIMIT) return;
    for (const key of this.#answers.keys()) if (!held.has(key)) this.#answers.delete(key);
  }
}
