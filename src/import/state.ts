/**
 * How far the import of a file has come, in a file beside it: items acknowledged from its beginning on, without a gap.
 * What was sent after that is sent again and changes no row. Appears whole or not at all.
 */
import { readFile, rename, rm, writeFile } from 'node:fs/promises';
import { resolve } from 'node:path';
import { z } from 'zod';
import type { Input } from './input.ts';
import type { Report } from './report.ts';

const schema = z.object({
  file: z.string(),
  bytes: z.number(),
  modifiedMs: z.number(),
  /** Records and what could not be read, from the beginning of the file. */
  items: z.int().min(0),
  report: z.object({
    accepted: z.number(), rejected: z.number(), reasons: z.record(z.string(), z.number()),
  }),
});

export type State = z.infer<typeof schema>;

export function stateFileOf(file: string, chosen: string | undefined): string {
  return chosen ?? `${file}.import-state.json`;
}

/** undefined: there is none, or it is of a file that was another then. */
export async function readState(stateFile: string, input: Input): Promise<State | undefined> {
  let text: string;
  try {
    text = await readFile(stateFile, 'utf8');
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return undefined;
    throw error;
  }
  const state = schema.parse(JSON.parse(text));
  const { bytes, modifiedMs } = input;
  const isSame = state.file === resolve(input.file) && state.bytes === bytes && state.modifiedMs === modifiedMs;
  return isSame ? state : undefined;
}

export async function writeState(stateFile: string, input: Input, items: number, report: Report): Promise<void> {
  const { bytes, modifiedMs } = input;
  const { accepted, rejected, reasons } = report;
  const kept = { accepted, rejected, reasons: { ...reasons } };
  const state: State = { file: resolve(input.file), bytes, modifiedMs, items, report: kept };
  await writeFile(`${stateFile}.new`, `${JSON.stringify(state)}\n`);
  await rename(`${stateFile}.new`, stateFile);
}

export async function removeState(stateFile: string): Promise<void> {
  await rm(stateFile, { force: true });
}
