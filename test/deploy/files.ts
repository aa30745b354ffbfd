/** Reads the files that are compared with the code. */
import { readFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { parse } from 'yaml';

export const REPOSITORY = resolve(import.meta.dirname, '../..');

export function readText(path: string): Promise<string> {
  return readFile(join(REPOSITORY, path), 'utf8');
}

/** The caller says what shape the file has; a test that reads what is not there fails. */
export async function readYaml<T>(path: string): Promise<T> {
  return parse(await readText(path), { merge: true }) as T;
}

export async function readJson<T>(path: string): Promise<T> {
  return JSON.parse(await readText(path)) as T;
}
