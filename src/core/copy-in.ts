/** A COPY into a table. Errors: those of PostgreSQL; nothing of it is stored then. */
import { pipeline } from 'node:stream/promises';
import type { ClientBase } from 'pg';
import { from as copyFrom } from 'pg-copy-streams';

/** @param target table and columns @param stream a complete COPY in binary format */
export async function copyIn(client: ClientBase, target: string, stream: Buffer): Promise<void> {
  await pipeline([stream], client.query(copyFrom(`copy ${target} from stdin (format binary)`)));
}
