/** What keeps an attempt from succeeding, over many attempts: when it is worth saying again. */
export class Obstacle {
  #current: string | null = null;

  /** An attempt has failed. @returns whether it is another obstacle than that of the attempt before */
  met(obstacle: string): boolean {
    const isNew = obstacle !== this.#current;
    this.#current = obstacle;
    return isNew;
  }

  /** An attempt has succeeded. @returns whether something was in the way before */
  passed(): boolean {
    const was = this.#current !== null;
    this.#current = null;
    return was;
  }
}
