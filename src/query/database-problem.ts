/**
 * What a failed question is to whoever asked. By SQLSTATE, as in `src/db/sqlstate.ts`; never by the text of an error.
 */
import { DRIVER_ERRORS, classify, errorCode } from '../db/sqlstate.ts';
import { Problem } from '../http/problem.ts';

export type QuestionResult = 'ok' | 'abandoned' | 'timeout' | 'unavailable' | 'error';

const QUERY_CANCELED = '57014';
/** The database was not prepared yet, or is one without our tables. */
const UNDEFINED_TABLE = '42P01';
const RETRY_AFTER_SECONDS = 5;

/** PostgreSQL itself has answered, with an error; the connection is as good as before. */
export function isOfServer(error: unknown): error is Error {
  return error instanceof Error && 'severity' in error && error.severity === 'ERROR';
}

/** A mistake in a statement has a policy too (an operator may mend a schema); here it is a bug. */
function isAway(error: unknown): boolean {
  const code = errorCode(error);
  if (code === UNDEFINED_TABLE) return true;
  const { action } = classify(error);
  return code?.startsWith('42') !== true && (action === 'retry' || action === 'shrink');
}

export function resultOf(error: unknown, signal: AbortSignal): QuestionResult {
  if (signal.aborted) return 'abandoned';
  if (errorCode(error) === QUERY_CANCELED) return 'timeout';
  return isAway(error) ? 'unavailable' : 'error';
}

function isPoolBusy(error: unknown): boolean {
  return error instanceof Error && errorCode(error) === undefined && DRIVER_ERRORS.has(error.message)
    && classify(error).meaning === POOL_BUSY;
}

const POOL_BUSY = DRIVER_ERRORS.get('timeout exceeded when trying to connect')?.meaning;

/** A `Problem` where there is one for it, else the error as it is: a bug. */
export function problemOf(error: unknown, signal: AbortSignal): unknown {
  if (error instanceof Problem) return error;
  switch (resultOf(error, signal)) {
    case 'abandoned':
      return new Problem('client_gone', 'the client has closed the connection');
    case 'timeout':
      return new Problem('timeout', 'the database took longer than QUERY_STATEMENT_TIMEOUT_MS; ask for less at once');
    case 'unavailable':
      return isPoolBusy(error)
        ? new Problem('overloaded', 'all connections to the database are busy', { retryAfterSeconds: 1 })
        : new Problem('unavailable', 'the database cannot be asked', { retryAfterSeconds: RETRY_AFTER_SECONDS });
    default:
      return error;
  }
}
