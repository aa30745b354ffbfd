/** Answers that are worth nothing when they come late. */

/**
 * What `answer` resolves to. One that comes late is dropped, and so is its error.
 * @throws the error of `answer`; or what `overdue` makes once `timeoutMs` have passed
 */
export async function inTime<T>(answer: Promise<T>, timeoutMs: number, overdue: () => Error): Promise<T> {
  const { promise: late, reject } = Promise.withResolvers<never>();
  const timer = setTimeout(() => { reject(overdue()); }, timeoutMs);
  try {
    return await Promise.race([answer, late]);
  } finally {
    clearTimeout(timer);
  }
}
