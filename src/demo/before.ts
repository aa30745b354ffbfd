/** What an earlier demo has left in the database. */
import { Client } from 'pg';

/** Positions that are stored already, by the counters of their devices. Errors: those of PostgreSQL. */
export async function positionsBefore(postgresUrl: string): Promise<number> {
  const client = new Client({ connectionString: postgresUrl });
  await client.connect();
  try {
    const { rows } = await client.query<{ positions: string }>('select coalesce(sum(records), 0) positions from device_state');
    return Number(rows[0]?.positions);
  } finally {
    await client.end();
  }
}
