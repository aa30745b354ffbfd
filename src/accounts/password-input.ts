/** A password that is typed, or comes from a pipe. It is never an argument, which every process could see. */
import { createInterface } from 'node:readline';
import { Writable } from 'node:stream';
import { OptionsError } from '../shared/option-reader.ts';

const SHORTEST = 10;
const LONGEST = 1_024;

/** What is typed is not shown. */
const nowhere = (): Writable => new Writable({ write: (_chunk, _encoding, done) => { done(); } });

async function readLine(prompt: string): Promise<string> {
  const { stdin, stderr } = process;
  const isTerminal = stdin.isTTY;
  if (isTerminal) stderr.write(prompt);
  const reader = createInterface({ input: stdin, output: nowhere(), terminal: isTerminal });
  try {
    for await (const line of reader) return line;
    return '';
  } finally {
    reader.close();
    if (isTerminal) stderr.write('\n');
  }
}

/** @throws OptionsError for one that is too short, or that was not typed the same twice */
export async function readPassword(): Promise<string> {
  const password = await readLine(`Password, at least ${SHORTEST} characters: `);
  if (password.length < SHORTEST || password.length > LONGEST) {
    throw new OptionsError(`password: expected ${SHORTEST} to ${LONGEST} characters, got ${password.length}`);
  }
  if (process.stdin.isTTY && (await readLine('Once more: ')) !== password) {
    throw new OptionsError('password: expected the same twice');
  }
  return password;
}
