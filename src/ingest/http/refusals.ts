/** From what ends the writing of a request to the problem that its sender is told, and what is counted. */
import { errorMessage } from '../../shared/errors.ts';
import { PASSING_REASONS } from '../../shared/record-reasons.ts';
import { Problem } from '../../http/problem.ts';
import { NotConfirmedError } from './append-window.ts';
import { BodyError, ENCODINGS } from './body.ts';
import type { HttpWriteEvents, Writer } from './events.ts';
import { NoRoomError } from './held-bodies.ts';
import { MalformedBodyError } from './record-writer.ts';
import type { WriteReport } from './report.ts';

const RETRY_AFTER_S = 2;

/** Redis did not say whether the Idempotency-Key is known. */
export class KeyUnavailableError extends Error {
  override readonly name = 'KeyUnavailableError';
}

function bodyProblem({ code, message }: BodyError): Problem {
  switch (code) {
    case 'unsupported_encoding':
      return new Problem('unsupported_media_type', message, { headers: { 'accept-encoding': ENCODINGS } });
    case 'too_large':
      return new Problem('payload_too_large', message);
    case 'too_slow':
      return new Problem('request_timeout', message);
    case 'broken_encoding':
      return new Problem('invalid_request', message);
  }
}

function withKept(detail: string, accepted: number): string {
  return accepted === 0 ? detail : `${detail}; the first ${accepted} records that could be kept are kept`;
}

/**
 * null: a bug of ours, or the client is gone.
 * @param accepted records that are kept already
 */
export function refusalOf(error: unknown, accepted: number, writer: Writer, events: HttpWriteEvents): Problem | null {
  const again = { retryAfterSeconds: RETRY_AFTER_S };
  if (error instanceof Problem) return error;
  if (error instanceof BodyError) {
    const problem = bodyProblem(error);
    const { headers } = problem;
    return new Problem(problem.code, withKept(problem.message, accepted), { headers });
  }
  if (error instanceof MalformedBodyError) return new Problem('invalid_request', `body: ${error.message}`);
  if (error instanceof NoRoomError) {
    events.unconfirmed(writer, 'memory', error);
    return new Problem('overloaded', error.message, again);
  }
  if (error instanceof KeyUnavailableError) {
    events.unconfirmed(writer, 'redis', error);
    return new Problem('unavailable', 'Redis does not answer', again);
  }
  if (!(error instanceof NotConfirmedError)) return null;
  events.unconfirmed(writer, error.obstacle, error);
  const code = error.obstacle === 'congested' && accepted === 0 ? 'overloaded' : 'not_confirmed';
  return new Problem(code, withKept(errorMessage(error), accepted), again);
}

/** null: the request is answered with its report. */
export function reportRefusal({ accepted, rejected, reasons, errors }: WriteReport, strict: boolean): Problem | null {
  if (rejected === 0 || (accepted > 0 && !strict)) return null;
  const detail = `${rejected} ${rejected === 1 ? 'record was' : 'records were'} refused, and none was kept`;
  if (Object.keys(reasons).every((reason) => PASSING_REASONS.has(reason))) {
    return new Problem('overloaded', detail, { errors, retryAfterSeconds: RETRY_AFTER_S });
  }
  return new Problem('records_refused', detail, { errors });
}
