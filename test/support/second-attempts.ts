/**
 * Names the tests that have passed at their second attempt, with what went wrong at the first: nothing that fails now
 * and then goes by unseen.
 */
import type { Reporter, TestCase, TestModule } from 'vitest/node';

function firstFailures(modules: readonly TestModule[]): string[] {
  return modules.flatMap(({ children, relativeModuleId }) => [...children.allTests()]
    .filter((test: TestCase) => test.diagnostic()?.flaky === true)
    .map((test) => `${relativeModuleId} > ${test.fullName}\n    ${test.result().errors?.[0]?.message ?? 'no error'}`));
}

export const secondAttempts: Reporter = {
  onTestRunEnd(modules) {
    const failures = firstFailures(modules);
    if (failures.length > 0) process.stdout.write(`\nPassed at the second attempt, to be mended:\n  ${failures.join('\n  ')}\n`);
  },
};
