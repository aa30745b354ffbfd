/**
 * `npm test [step …] [-- arguments of vitest]`: the steps in the order of how soon they fail; all but those that need
 * more than npm gives, or those named. Stops at the first that fails and exits with its code.
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { constants } from 'node:os';
import { fileURLToPath } from 'node:url';

interface Step {
  readonly name: string;
  readonly title: string;
  /** Program of node_modules/.bin, or a TypeScript file, and its arguments. */
  readonly command: readonly [string, ...string[]];
  readonly takesArguments?: boolean;
  /** Runs only where it is named. */
  readonly onRequest?: boolean;
}

const STEPS: readonly Step[] = [
  { name: 'types', title: 'types', command: ['tsc', '--noEmit'] },
  { name: 'lint', title: 'lint', command: ['eslint', '.'] },
  { name: 'docs', title: 'generated documents', command: ['node', 'scripts/docs.ts', '--check'] },
  { name: 'unit', title: 'unit tests', command: ['vitest', 'run', '--project', 'unit'], takesArguments: true },
  { name: 'fuzz', title: 'hostile bytes', command: ['node', 'test/fuzz/main.ts'] },
  { name: 'integration', title: 'integration tests', command: ['vitest', 'run', '--project', 'integration'], takesArguments: true },
  { name: 'browser', title: 'browser tests', command: ['vitest', 'run', '--project', 'browser'], takesArguments: true },
  { name: 'directus', title: 'Directus tests', command: ['vitest', 'run', '--project', 'directus'], takesArguments: true, onRequest: true },
];

const ROOT = fileURLToPath(new URL('..', import.meta.url));

interface Outcome {
  readonly title: string;
  readonly seconds: number;
  readonly exitCode: number;
}

async function run({ title, command, takesArguments }: Step, vitestArguments: readonly string[]): Promise<Outcome> {
  const [program, ...fixed] = command;
  const args = takesArguments === true ? [...fixed, ...vitestArguments] : fixed;
  const began = Date.now();
  process.stdout.write(`\n── ${title}: ${[program, ...args].join(' ')}\n`);
  const child = spawn(program, args, { cwd: ROOT, stdio: 'inherit' });
  // A Ctrl-C reaches the child by itself; this process waits for it, and ends with it.
  const pass = (signal: NodeJS.Signals): void => {
    child.kill(signal);
  };
  process.on('SIGINT', wait);
  process.on('SIGTERM', pass);
  const [code, signal] = (await once(child, 'exit')) as [number | null, NodeJS.Signals | null];
  process.off('SIGINT', wait);
  process.off('SIGTERM', pass);
  const exitCode = code ?? 128 + constants.signals[signal ?? 'SIGTERM'];
  return { title, seconds: (Date.now() - began) / 1000, exitCode };
}

function wait(): void {
  // Keeps a Ctrl-C from ending this process before its child.
}

function parse(args: readonly string[]): { steps: readonly Step[]; vitestArguments: readonly string[] } {
  const end = args.indexOf('--');
  const names = end < 0 ? args : args.slice(0, end);
  const unknown = names.filter((name) => !STEPS.some((step) => step.name === name));
  if (unknown.length > 0) {
    const known = STEPS.map(({ name }) => name).join(', ');
    process.stderr.write(`no such step: ${unknown.join(', ')}; there are ${known}; arguments of vitest follow a second --\n`);
    process.exit(2);
  }
  const steps = STEPS.filter(({ name, onRequest }) => (names.length === 0 ? onRequest !== true : names.includes(name)));
  return { steps, vitestArguments: end < 0 ? [] : args.slice(end + 1) };
}

function summary(outcomes: readonly Outcome[]): string {
  const line = ({ title, seconds, exitCode }: Outcome): string =>
    `${exitCode === 0 ? 'ok    ' : 'FAILED'} ${title.padEnd(20)} ${seconds.toFixed(1).padStart(6)} s\n`;
  return `\n${outcomes.map(line).join('')}`;
}

const { steps, vitestArguments } = parse(process.argv.slice(2));
const outcomes: Outcome[] = [];
for (const step of steps) {
  const outcome = await run(step, vitestArguments);
  outcomes.push(outcome);
  if (outcome.exitCode !== 0) break;
}
process.stdout.write(summary(outcomes));
process.exit(outcomes.at(-1)?.exitCode ?? 0);
