/** Bodies that are held as a whole, all requests together: bounded, so that many large ones at once are turned away. */
import type { IncomingMessage } from 'node:http';
import { bodyChunks } from './body.ts';

/** There is no room for the body now. */
export class NoRoomError extends Error {
  override readonly name = 'NoRoomError';
}

interface HeldBodiesOptions {
  readonly maxBytes: number;
  readonly onChange: (bytes: number) => void;
}

export class HeldBodies {
  readonly #options: HeldBodiesOptions;
  #bytes = 0;

  constructor(options: HeldBodiesOptions) {
    this.#options = options;
  }

  /**
   * Reads the whole body and holds it while `work` runs.
   * @throws BodyError, NoRoomError
   */
  async with<T>(request: IncomingMessage, maxBytes: number, work: (body: Buffer) => Promise<T>): Promise<T> {
    let held = 0;
    const chunks: Buffer[] = [];
    try {
      for await (const chunk of bodyChunks(request, maxBytes)) {
        held += chunk.length;
        this.#account(chunk.length);
        chunks.push(chunk);
      }
      return await work(Buffer.concat(chunks));
    } finally {
      this.#account(-held);
    }
  }

  #account(bytes: number): void {
    this.#bytes += bytes;
    this.#options.onChange(this.#bytes);
    if (bytes > 0 && this.#bytes > this.#options.maxBytes) throw new NoRoomError('too many bodies are read at once');
  }
}
