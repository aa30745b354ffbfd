/** What became of the records of a request: the answer of `POST /v1/records`. Bounded, however many are refused. */
import { z } from 'zod';
import type { RecordReason } from '../../shared/record-reasons.ts';
import { RECORD_REASON_CODES } from '../../shared/record-reasons.ts';
import type { RecordFault } from './record.ts';

/** Refused records that an answer names. */
export const MAX_ERRORS = 1_000;
/** A message or field may hold what the client has sent. */
const MAX_TEXT = 200;

export const recordErrorSchema = z.object({
  index: z.int().min(0).describe('Position in the array, or number of the line, blank ones included; from 0.'),
  field: z.string().describe('Path within the record; empty: the record as a whole.'),
  reason: z.enum(RECORD_REASON_CODES),
  message: z.string().describe('What is expected there.'),
});

export const reportSchema = z.object({
  accepted: z.int().min(0).describe('Records that are kept.'),
  rejected: z.int().min(0).describe('Records that are not.'),
  reasons: z.partialRecord(z.enum(RECORD_REASON_CODES), z.int()).describe('Rejected records by reason.'),
  errors: z.array(recordErrorSchema).describe(`The first ${MAX_ERRORS} of the rejected records.`),
});

export type WriteReport = z.infer<typeof reportSchema>;
export type RecordError = z.infer<typeof recordErrorSchema>;

export class ReportBuilder {
  readonly #errors: RecordError[] = [];
  readonly #reasons = new Map<RecordReason, number>();
  accepted = 0;
  rejected = 0;

  reject(index: number, { reason, field, message }: RecordFault): void {
    this.rejected += 1;
    this.#reasons.set(reason, (this.#reasons.get(reason) ?? 0) + 1);
    if (this.#errors.length >= MAX_ERRORS) return;
    this.#errors.push({ index, field: field.slice(0, MAX_TEXT), reason, message: message.slice(0, MAX_TEXT) });
  }

  get errors(): readonly RecordError[] {
    return this.#errors;
  }

  get reasons(): ReadonlyMap<RecordReason, number> {
    return this.#reasons;
  }

  report(): WriteReport {
    const { accepted, rejected } = this;
    return { accepted, rejected, reasons: Object.fromEntries(this.#reasons), errors: this.#errors };
  }
}
