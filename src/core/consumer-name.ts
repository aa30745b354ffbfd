/**
 * The name under which this process consumes. Entries pending for a name are read again by whoever has it next, so it has
 * to be the same after a restart and different from that of every process alive: INSTANCE_ID, with a number behind it
 * where another process has that already. An advisory lock holds the name; PostgreSQL frees it when the process dies.
 */
import type { Pool, PoolClient } from 'pg';

export interface ConsumerName {
  readonly name: string;
  release(): void;
}

/** Namespace of our advisory locks on names; spells "odog". */
const LOCK_SPACE = 0x6f_64_6f_67;
const MAX_PROCESSES = 1_000;

async function lock(client: PoolClient, name: string): Promise<boolean> {
  const { rows } = await client.query<{ locked: boolean }>('select pg_try_advisory_lock($1, hashtext($2)) as locked', [LOCK_SPACE, name]);
  return rows[0]?.locked === true;
}

/** @throws what PostgreSQL says, and when a thousand processes share one INSTANCE_ID. */
export async function takeConsumerName(pool: Pool, instanceId: string): Promise<ConsumerName> {
  const client = await pool.connect();
  // Losing this connection frees the name for a process that starts now; what both may then read twice changes no row.
  client.on('error', () => undefined);
  for (let number = 1; number <= MAX_PROCESSES; number += 1) {
    const name = number === 1 ? instanceId : `${instanceId}-${number}`;
    if (await lock(client, name)) return { name, release: () => { client.release(true); } };
  }
  client.release(true);
  throw new Error(`INSTANCE_ID: ${MAX_PROCESSES} processes have the name ${instanceId}`);
}
