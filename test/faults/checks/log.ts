/** The log says what is lost and nothing else at level error, each loss once. */
import type { Check } from './check.ts';

export const log: Check = ({ fault, world, injected }) => {
  const problems: string[] = [];
  for (const program of world.programs.values()) {
    const severe = program.lines.filter(({ level }) => level === 'error' || level === 'fatal');
    for (const message of fault.errors ?? []) {
      const times = severe.filter(({ msg }) => msg.startsWith(message)).length;
      const isCore = program.name !== 'ingest';
      if (isCore && times !== injected) problems.push(`${program.name} logged ${times} times, not ${injected}: ${message}`);
    }
    const unexpected = severe.filter(({ msg }) => !(fault.errors ?? []).some((message) => msg.startsWith(message)));
    if (unexpected.length > 0) problems.push(`${program.name} logged ${unexpected.length} errors: ${unexpected[0]?.msg ?? ''}`);
  }
  return problems;
};
