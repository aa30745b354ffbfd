/** Traccar's devices: its numbers and their identifiers, from `/api/devices` (JSON) or the table `tc_devices` (CSV). */
import { readFile } from 'node:fs/promises';
import { parse } from 'csv-parse/sync';
import { z } from 'zod';

const schema = z.array(z.object({ id: z.union([z.number(), z.string()]), uniqueId: z.string().min(1) }));

function fromCsv(text: string): z.infer<typeof schema> {
  const columns = (header: string[]): string[] => header.map((name) => name.toLowerCase());
  const rows = parse(text, { bom: true, columns, relax_column_count: true, trim: true });
  return schema.parse(rows.map((row) => {
    const { id, uniqueid } = row as Record<string, string>;
    return { id, uniqueId: uniqueid };
  }));
}

/** @throws Error when the file is neither */
export async function readDevices(file: string): Promise<ReadonlyMap<string, string>> {
  const text = await readFile(file, 'utf8');
  try {
    const devices = text.trimStart().startsWith('[') ? schema.parse(JSON.parse(text)) : fromCsv(text);
    return new Map(devices.map(({ id, uniqueId }) => [String(id), uniqueId]));
  } catch (error) {
    throw new Error(`${file}: expected Traccar's devices with id and uniqueId, as JSON or CSV`, { cause: error });
  }
}
