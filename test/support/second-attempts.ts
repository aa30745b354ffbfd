/**
 * Names, at the end of a run, the tests that have passed at their second attempt, with what went wrong at the first,
 * and errors that no test has caught: nothing that fails now and then goes by unseen, or far up in a long log.
 */
import type { Reporter, SerializedError, TestCase, TestModule } from 'vitest/node';

function firstFailures(modules: readonly TestModule[]): string[] {
  return modules.flatMap(({ children, relativeModuleId }) => [...children.allTests()]
    .filter((test: TestCase) => test.diagnostic()?.flaky === true)
    .map((test) => `${relativeModuleId} > ${test.fullName}\n    ${test.result().errors?.[0]?.message ?? 'no error'}`));
}

export const secondAttempts: Reporter = {
  onTestRunEnd(modules, uncaught: readonly SerializedError[]) {
    for (const { name, message, stack } of uncaught) process.stdout.write(`\nCaught by no test: ${name}: ${message}\n${stack ?? ''}\n`);
    const failures = firstFailures(modules);
    if (failures.length > 0) process.stdout.write(`\nPassed at the second attempt, to be mended:\n  ${failures.join('\n  ')}\n`);
  },
};
