/** Viewers in a process of their own, from the side of the benchmark. */
import type { ChildProcess } from 'node:child_process';
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import type { ViewersAnswer, ViewersCommand } from './viewers-protocol.ts';

const PROGRAM = fileURLToPath(new URL('viewers-process.ts', import.meta.url));

export class Viewers {
  readonly #child: ChildProcess = fork(PROGRAM);

  get pid(): number {
    return this.#child.pid ?? 0;
  }

  /** One at a time. */
  async ask(command: ViewersCommand): Promise<ViewersAnswer> {
    const answer = once(this.#child, 'message') as Promise<[ViewersAnswer]>;
    this.#child.send(command);
    return (await answer)[0];
  }

  stop(): void {
    this.#child.kill('SIGKILL');
  }
}
