/** What became of the cases, to see that they get past the first check. */

export class Tally {
  cases = 0;
  bytes = 0;
  readonly #verdicts = new Map<string, number>();

  /** A verdict counts once a case: a frame of pings would outweigh all others. */
  add(bytes: number, verdicts: readonly string[]): void {
    this.cases += 1;
    this.bytes += bytes;
    for (const verdict of new Set(verdicts)) this.#verdicts.set(verdict, (this.#verdicts.get(verdict) ?? 0) + 1);
  }

  /** Of all cases, those of which a record was read. */
  get shareWithRecords(): number {
    return (this.#verdicts.get('records') ?? 0) / this.cases;
  }

  lines(): string[] {
    const sorted = [...this.#verdicts].sort(([, a], [, b]) => b - a);
    return sorted.map(([verdict, count]) => `  ${((100 * count) / this.cases).toFixed(1).padStart(5)} %  ${verdict}`);
  }
}
