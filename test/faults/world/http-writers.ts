/**
 * Programs that write over HTTP while something breaks: each posts batch after batch with an Idempotency-Key, and the
 * same batch again until it is answered with 202. In the end every record that a 202 was given for has to be in the
 * database once, and nothing else.
 */
import { pause } from '../../../src/shared/wait.ts';
import { eventually } from '../../support/eventually.ts';
import type { Program } from './program.ts';
import type { World } from './world.ts';

const BATCH = 25;
const ANSWER_TIMEOUT_MS = 8_000;
const RETRY_MS = 100;
const STORED_TIMEOUT_MS = 60_000;

const never = new AbortController().signal;

interface Writer {
  readonly deviceId: string;
  /** Records that a 202 was given for. */
  accepted: number;
  /** Requests that were answered with anything else, or not at all. */
  repeated: number;
}

/** 408, 409, 429 and 5xx say to come again. */
function isTemporary(status: number): boolean {
  return status === 408 || status === 409 || status === 429 || status >= 500;
}

interface WritersOptions {
  readonly token: string;
  /** Of their devices, that no others have. */
  readonly name: string;
  readonly count: number;
}

export class HttpWriters {
  readonly #ingest: Program;
  readonly #token: string;
  readonly #writers: Writer[];
  readonly #writing: Promise<unknown>;
  readonly #begin = Date.now() - 86_400_000;
  #isStopping = false;

  constructor(world: World, { token, name, count }: WritersOptions) {
    this.#ingest = world.program('ingest');
    this.#token = token;
    this.#writers = Array.from({ length: count }, (_, n) => ({ deviceId: `${name}-${n}`, accepted: 0, repeated: 0 }));
    this.#writing = Promise.all(this.#writers.map((writer) => this.#run(writer)));
  }

  /** Resolves when every writer has had a 202 from now on. */
  async untilAccepted(): Promise<void> {
    const before = this.#writers.map(({ accepted }) => accepted);
    await eventually(() => {
      if (this.#writers.some(({ accepted }, at) => accepted <= (before[at] ?? 0))) throw new Error('a writer gets no 202');
    }, { timeoutMs: STORED_TIMEOUT_MS });
  }

  /** Ends them and looks into the database. @throws Error where a record is missing, there twice, or nobody's */
  async finish(world: World): Promise<void> {
    this.#isStopping = true;
    await this.#writing;
    for (const { accepted } of this.#writers) world.othersAccepted += accepted;
    if (this.#writers.every(({ repeated }) => repeated === 0)) throw new Error('no request had to be sent again: nothing was broken');
    const select = `
      select d.unique_id as id, count(*)::int as rows, count(distinct p.ts)::int as instants, max(p.ts) as last
      from positions p join devices d on d.id = p.device_id where d.unique_id = any($1) group by 1`;
    await eventually(async () => {
      const { rows } = await world.pool.query<{ id: string; rows: number; instants: number; last: Date }>(
        select, [this.#writers.map(({ deviceId }) => deviceId)]);
      for (const { deviceId, accepted } of this.#writers) {
        const stored = rows.find(({ id }) => id === deviceId);
        const isRight = stored?.rows === accepted && stored.instants === accepted
          && stored.last.getTime() === this.#timeOf(accepted - 1);
        if (!isRight) throw new Error(`${deviceId}: ${accepted} records were answered with 202, the database has ${JSON.stringify(stored)}`);
      }
    }, { timeoutMs: STORED_TIMEOUT_MS });
  }

  #timeOf(record: number): number {
    return this.#begin + record * 1_000;
  }

  async #run(writer: Writer): Promise<void> {
    for (let batch = 0; !this.#isStopping; batch += 1) {
      const records = Array.from({ length: BATCH }, (_, n) => ({
        deviceId: writer.deviceId, ts: this.#timeOf(batch * BATCH + n), latitude: 54.7, longitude: 25.3, speed: n,
      }));
      while (!(await this.#isAccepted(`${writer.deviceId}-${batch}`, JSON.stringify(records)))) {
        writer.repeated += 1;
        await pause(RETRY_MS, never);
      }
      writer.accepted += BATCH;
    }
  }

  /** @throws Error for an answer that no fault excuses */
  async #isAccepted(key: string, body: string): Promise<boolean> {
    const port = this.#ingest.lines.findLast(({ msg }) => msg === 'listening for requests')?.port ?? 0;
    const response = await fetch(`http://127.0.0.1:${port}/v1/records`, {
      method: 'POST', body, signal: AbortSignal.timeout(ANSWER_TIMEOUT_MS),
      headers: { authorization: `Bearer ${this.#token}`, 'content-type': 'application/json', 'idempotency-key': key },
    }).catch(() => null);
    const text = await response?.text().catch(() => null);
    // Nobody knows what has become of it.
    if (response === null || text === null || text === undefined) return false;
    if (response.status === 202) {
      const { accepted } = JSON.parse(text) as { accepted: number };
      if (accepted !== BATCH) throw new Error(`a 202 for ${accepted} of ${BATCH} records`);
      return true;
    }
    if (!isTemporary(response.status)) throw new Error(`${response.status}: ${text}`);
    return false;
  }
}
