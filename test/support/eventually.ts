/** Waiting for what happens by itself: asks again and again, and fails with the last reason why not. */
import { setTimeout as delay } from 'node:timers/promises';

const POLL_MS = 20;

/**
 * Calls `fn` until it neither throws nor returns false, and returns what it returned.
 * @throws the last error of `fn`, or an Error saying that it was false, once `timeoutMs` have passed.
 */
export async function eventually<T>(fn: () => T | Promise<T>, options: { timeoutMs?: number } = {}): Promise<T> {
  const timeoutMs = options.timeoutMs ?? 10_000;
  const deadline = Date.now() + timeoutMs;
  for (;;) {
    let failure: unknown = new Error(`still false after ${timeoutMs} ms`);
    try {
      const result = await fn();
      if (result !== false) return result;
    } catch (error) {
      failure = error;
    }
    if (Date.now() >= deadline) throw failure;
    await delay(POLL_MS);
  }
}
