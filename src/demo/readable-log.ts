/**
 * Why a program has failed, out of its JSON log as a person reads it: level, message and error of each line that is a
 * warning or worse. What is no such line stays as it is.
 */
import { z } from 'zod';

const logLine = z.object({ level: z.string(), msg: z.string(), error: z.string().optional() });

const ROUTINE = ['trace', 'debug', 'info'];

/** undefined: nothing is wrong. */
function readableLine(line: string): string | undefined {
  try {
    const { level, msg, error } = logLine.parse(JSON.parse(line));
    return ROUTINE.includes(level) ? undefined : `  ${level}: ${error === undefined ? msg : `${msg}: ${error}`}`;
  } catch {
    // Printed by something else than the logger.
    return line;
  }
}

export function readableLog(text: string): string {
  return text.split('\n').flatMap((line) => readableLine(line) ?? []).join('\n');
}
