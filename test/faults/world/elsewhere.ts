/** A session in another database of the server, which is not in the way of what is done to the one under test. */
import { Client } from 'pg';

/** @param url of the database under test. Throws what PostgreSQL says. */
export async function elsewhere<T>(url: string, work: (client: Client) => Promise<T>): Promise<T> {
  const other = new URL(url);
  other.pathname = '/postgres';
  const client = new Client({ connectionString: other.href, application_name: 'observer' });
  // One that is lost fails the statement that is on it.
  client.on('error', () => undefined);
  await client.connect();
  try {
    return await work(client);
  } finally {
    await client.end();
  }
}
