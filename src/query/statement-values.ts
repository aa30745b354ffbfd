/** The values of a statement, collected while its text is written: what a caller has sent never becomes SQL. */
export class StatementValues {
  readonly list: unknown[] = [];

  /** The placeholder that stands for the value. */
  bind(value: unknown, type: string): string {
    this.list.push(value);
    return `$${this.list.length}::${type}`;
  }
}

/** What a `Question` is made of, beside its name. */
export interface Statement {
  readonly text: string;
  readonly values: readonly unknown[];
}
