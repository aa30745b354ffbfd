/** The parameters of a statement that is put together from parts. */
export class Parameters {
  readonly #values: unknown[] = [];

  /** Takes a value in. @returns how the statement refers to it, with its type: `$3::bigint[]` */
  add(value: unknown, type: string): string {
    this.#values.push(value);
    return `$${this.#values.length}::${type}`;
  }

  get values(): readonly unknown[] {
    return this.#values;
  }
}
