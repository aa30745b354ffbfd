/** The file of what was rejected: a JSON object a line, with where it stood, why, and what it was. */
import type { WriteStream } from 'node:fs';
import { createWriteStream } from 'node:fs';
import { once } from 'node:events';
import { finished } from 'node:stream/promises';

export class Rejects {
  readonly #stream: WriteStream;
  #failure: Error | null = null;

  /** @param append after those of an earlier run */
  constructor(file: string, append: boolean) {
    this.#stream = createWriteStream(file, { flags: append ? 'a' : 'w' });
    this.#stream.on('error', (error) => { this.#failure = error; });
  }

  /** @throws Error when the file cannot be written */
  async write(rejected: object): Promise<void> {
    if (this.#failure !== null) throw this.#failure;
    if (!this.#stream.write(`${JSON.stringify(rejected)}\n`)) await once(this.#stream, 'drain');
  }

  async close(): Promise<void> {
    this.#stream.end();
    await finished(this.#stream);
  }
}
