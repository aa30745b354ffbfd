/**
 * Requests to Directus as one caller, over the built-in fetch. An answer that is no success is a value for who asks
 * about it (`ask`), and an error for who relies on it (`call`). A request that Directus leaves open ends by itself.
 */

const TIMEOUT_MS = 30_000;

export interface Answer {
  readonly status: number;
  /** Directus's own code of an error, such as FORBIDDEN; null: none. */
  readonly code: string | null;
  /** `data` of the body; undefined: it has none. */
  readonly data: unknown;
  readonly body: string;
  readonly headers: Headers;
}

export class DirectusRefusal extends Error {
  override readonly name = 'DirectusRefusal';
  readonly answer: Answer;

  constructor(method: string, path: string, answer: Answer) {
    super(`${method} ${path}: ${answer.status} ${answer.body.slice(0, 500)}`);
    this.answer = answer;
  }
}

/** How a caller says who it is: a static token or JWT, a session cookie as `name=value`, or nothing. */
export interface Credential {
  readonly token?: string;
  readonly cookie?: string;
}

interface Body {
  readonly data?: unknown;
  readonly errors?: readonly { readonly extensions?: { readonly code?: string } }[];
}

function parse(text: string): Body {
  try {
    return JSON.parse(text) as Body;
  } catch {
    // A ping or a 204: nothing to read, and `body` has it.
    return {};
  }
}

export class DirectusApi {
  readonly #url: string;
  readonly #credential: Credential;

  constructor(url: string, credential: Credential = {}) {
    this.#url = url;
    this.#credential = credential;
  }

  /** @param path with its query, such as `/users/me?fields=id` */
  async ask(method: string, path: string, body?: unknown): Promise<Answer> {
    const { token, cookie } = this.#credential;
    const response = await fetch(`${this.#url}${path}`, {
      method,
      signal: AbortSignal.timeout(TIMEOUT_MS),
      headers: {
        ...(token !== undefined && { authorization: `Bearer ${token}` }),
        ...(cookie !== undefined && { cookie }),
        ...(body !== undefined && { 'content-type': 'application/json' }),
      },
      ...(body !== undefined && { body: JSON.stringify(body) }),
    });
    const text = await response.text();
    const { data, errors } = parse(text);
    const code = errors?.[0]?.extensions?.code ?? null;
    return { status: response.status, code, data, body: text, headers: response.headers };
  }

  /**
   * As `ask`, for an answer that is expected to be a success.
   * @returns its data, of which the caller knows the type
   * @throws DirectusRefusal
   */
  async call(method: string, path: string, body?: unknown): Promise<unknown> {
    const answer = await this.ask(method, path, body);
    if (answer.status >= 300) throw new DirectusRefusal(method, path, answer);
    return answer.data;
  }

  /** Those of `values` that this caller may read, asked for by `field` of a collection. */
  async readable(collection: string, field: string, values: readonly string[]): Promise<readonly string[]> {
    const query = { filter: { [field]: { _in: values } }, fields: [field], limit: values.length };
    const rows = (await this.call('SEARCH', `/items/${collection}`, { query })) as readonly Record<string, string>[];
    return rows.map((row) => row[field] ?? '');
  }
}
