/**
 * The name under which this process consumes. Entries pending for a name are read again by whoever has it next, so it
 * has to be the same after a restart and different from that of every process alive: INSTANCE_ID, with a number behind
 * it where another process has that already. An advisory lock holds the name; it is free again when the process dies.
 */
import type { Pool, PoolClient } from 'pg';
import { LOCK_SPACE } from '../db/advisory-locks.ts';

export interface ConsumerName {
  readonly name: string;
  release(): void;
}

const MAX_PROCESSES = 1_000;

async function lock(client: PoolClient, name: string): Promise<boolean> {
  const statement = 'select pg_try_advisory_lock($1, hashtext($2)) as locked';
  const { rows } = await client.query<{ locked: boolean }>(statement, [LOCK_SPACE, name]);
  return rows[0]?.locked === true;
}

/** The first name that no other process has; null: all are taken. */
async function lockName(client: PoolClient, instanceId: string): Promise<string | null> {
  for (let number = 1; number <= MAX_PROCESSES; number += 1) {
    const name = number === 1 ? instanceId : `${instanceId}-${number}`;
    if (await lock(client, name)) return name;
  }
  return null;
}

/** @throws what PostgreSQL says, and when a thousand processes share one INSTANCE_ID. */
export async function takeConsumerName(pool: Pool, instanceId: string): Promise<ConsumerName> {
  const client = await pool.connect();
  // Losing this connection frees the name for a process that starts now; what both may then read twice changes no row.
  client.on('error', () => undefined);
  const release = (): void => { client.release(true); };
  try {
    const name = await lockName(client, instanceId);
    if (name === null) throw new Error(`INSTANCE_ID: ${MAX_PROCESSES} processes have the name ${instanceId}`);
    return { name, release };
  } catch (error) {
    release();
    throw error;
  }
}
