/**
 * What the database announces by itself (NOTIFY), on a connection of its own for as long as it lasts, and on another
 * one after that. A change made while nobody listened is not announced again, so each new connection counts as one.
 */
import type { Pool, PoolClient } from 'pg';
import { pause, until } from '../shared/wait.ts';

export interface AnnouncementOptions {
  readonly pool: Pool;
  readonly channels: readonly string[];
  readonly onAnnounced: () => void;
  readonly signal: AbortSignal;
}

const RETRY_MS = 1_000;

/** Until `signal` aborts. While the database is away it announces nothing, and that is not reported here. */
export async function followAnnouncements(options: AnnouncementOptions): Promise<void> {
  const { pool, signal } = options;
  while (!signal.aborted) {
    try {
      await listen(await pool.connect(), options);
    } catch (error) {
      // Whoever follows looks at intervals too.
      if (!(error instanceof Error)) throw error;
    }
    await pause(RETRY_MS, signal);
  }
}

async function listen(client: PoolClient, { channels, onAnnounced, signal }: AnnouncementOptions): Promise<void> {
  try {
    client.on('notification', onAnnounced);
    for (const channel of channels) await client.query(`listen ${channel}`);
    onAnnounced();
    await until(signal, (done) => {
      client.once('end', done);
      client.once('error', done);
      return () => {
        client.off('end', done);
        client.off('error', done);
      };
    });
  } finally {
    client.off('notification', onAnnounced);
    client.release(true);
  }
}
