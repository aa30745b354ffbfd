/** A program for the tests: says its pid, counts signals for a moment after the first, exits with 10 + their number. */
const COUNTING_MS = 200;

let signals = 0;
const count = (): void => {
  signals += 1;
  if (signals === 1) setTimeout(() => process.exit(10 + signals), COUNTING_MS);
};
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, count);
process.stdout.write(`${process.pid}\n`);
process.stdin.resume();
setInterval(() => undefined, 60_000);
