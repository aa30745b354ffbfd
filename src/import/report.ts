/** What came of the import of a file. */

export interface Report {
  accepted: number;
  rejected: number;
  /** Of earlier runs that this one goes on from: among the two above. */
  resumedFrom: number;
  readonly reasons: Record<string, number>;
}

export function emptyReport(): Report {
  return { accepted: 0, rejected: 0, resumedFrom: 0, reasons: {} };
}

export function countRejected(report: Report, reason: string): void {
  report.rejected += 1;
  report.reasons[reason] = (report.reasons[reason] ?? 0) + 1;
}

export function counted(number: number, noun: string): string {
  return `${number.toLocaleString('en')} ${noun}${number === 1 ? '' : 's'}`;
}

export function reportText(file: string, report: Report, dryRun: boolean): string {
  const { accepted, rejected, resumedFrom, reasons } = report;
  const verb = dryRun ? 'could be imported' : 'imported';
  const from = resumedFrom === 0 ? '' : ` (${counted(resumedFrom, 'item')} by an earlier run)`;
  const lines = Object.entries(reasons).toSorted((a, b) => b[1] - a[1]).map(([reason, count]) => `  ${reason}: ${count.toLocaleString('en')}\n`);
  return `${file}: ${counted(accepted, 'record')} ${verb}${from}, ${rejected.toLocaleString('en')} rejected\n${lines.join('')}`;
}
