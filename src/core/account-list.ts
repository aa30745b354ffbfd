/**
 * Keeps what is published of keys and users current: at intervals, and as soon as the database says that keys, users or
 * the members of groups have changed. Until `signal` aborts; failures are reported, and what was published stays.
 */
import type { Pool } from 'pg';
import { ACCOUNT_CHANGES, publishAccounts } from '../accounts/publish.ts';
import { followAnnouncements } from '../db/announcements.ts';
import type { Redis } from '../shared/redis.ts';
import { until } from '../shared/wait.ts';

export interface AccountListOptions {
  readonly pool: Pool;
  readonly redis: Redis;
  readonly intervalMs: number;
  readonly onError: (what: string, error: unknown) => void;
  readonly signal: AbortSignal;
}

export async function keepAccountsPublished(options: AccountListOptions): Promise<void> {
  const { pool, redis, intervalMs, onError, signal } = options;
  let isAnnounced = false;
  let wake: () => void = () => undefined;
  const onAnnounced = (): void => {
    isAnnounced = true;
    wake();
  };
  const publishing = async (): Promise<void> => {
    while (!signal.aborted) {
      isAnnounced = false;
      await publishAccounts(pool, redis).catch((error: unknown) => {
        if (!signal.aborted) onError('publishing keys and users', error);
      });
      await until(signal, (done) => {
        const timer = setTimeout(done, intervalMs);
        wake = done;
        if (isAnnounced) done();
        return () => { clearTimeout(timer); };
      });
    }
  };
  await Promise.all([publishing(), followAnnouncements({ pool, channels: ACCOUNT_CHANGES, onAnnounced, signal })]);
}
