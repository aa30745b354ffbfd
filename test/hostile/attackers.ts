/** A process of attackers, from the side of whoever watches. */
import type { ChildProcess } from 'node:child_process';
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import type { Attack, Command, Report } from './attack.ts';

const PROGRAM = fileURLToPath(new URL('attackers-process.ts', import.meta.url));

export class Attackers {
  readonly #child: ChildProcess = fork(PROGRAM, { execArgv: [] });

  /** Begins; returns at once. */
  attack(attack: Attack): Promise<Report> {
    return this.#ask({ type: 'attack', attack });
  }

  report(): Promise<Report> {
    return this.#ask({ type: 'report' });
  }

  /** Resets every connection. */
  hangUp(): Promise<Report> {
    return this.#ask({ type: 'stop' });
  }

  end(): void {
    this.#child.kill('SIGKILL');
  }

  /** One at a time. */
  async #ask(command: Command): Promise<Report> {
    const answer = once(this.#child, 'message') as Promise<[Report]>;
    this.#child.send(command);
    return (await answer)[0];
  }
}
