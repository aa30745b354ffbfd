/**
 * A program of a benchmark as a process of its own, that is asked one thing after another over IPC. It ends with the
 * run. Errors: what the program throws ends it, and whoever asked is told.
 */
import type { ChildProcess } from 'node:child_process';
import { fork } from 'node:child_process';
import { once } from 'node:events';

export class Forked<Command, Answer> {
  readonly #program: URL;
  readonly #child: ChildProcess;

  constructor(program: URL) {
    this.#program = program;
    this.#child = fork(program);
  }

  get pid(): number {
    return this.#child.pid ?? 0;
  }

  /** One at a time. @throws Error when the program has ended. */
  async ask(command: Command): Promise<Answer> {
    const answered = new AbortController();
    const { signal } = answered;
    const answer = once(this.#child, 'message', { signal }) as Promise<[Answer]>;
    const end = once(this.#child, 'exit', { signal }).then(([code]) => {
      throw new Error(`${this.#program.pathname} ended with ${String(code)}`);
    });
    // The one that has lost is aborted, which is a rejection too.
    const first = Promise.race([answer, end]);
    void Promise.allSettled([answer, end]);
    this.#child.send(command as object);
    try {
      return (await first)[0];
    } finally {
      answered.abort();
    }
  }

  stop(): void {
    this.#child.kill('SIGKILL');
  }
}

/** The side of the program: answers each command with what `obey` makes of it, and ends with its parent. */
export function serve(obey: (command: never) => Promise<object>): void {
  process.on('disconnect', () => { process.exit(); });
  process.on('message', (command) => {
    void obey(command as never).then((answer) => process.send?.(answer));
  });
}
