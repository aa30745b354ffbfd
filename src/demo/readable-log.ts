/** Lines of a JSON log as a person reads them: level, message, error. What is no such line stays as it is. */
import { z } from 'zod';

const logLine = z.object({ level: z.string(), msg: z.string(), error: z.string().optional() });

function readableLine(line: string): string {
  try {
    const { level, msg, error } = logLine.parse(JSON.parse(line));
    return `  ${level}: ${error === undefined ? msg : `${msg}: ${error}`}`;
  } catch {
    // Printed by something else than the logger.
    return line;
  }
}

export function readableLog(text: string): string {
  return text.split('\n').map(readableLine).join('\n');
}
