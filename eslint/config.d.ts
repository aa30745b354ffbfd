/** Types of `config.js`, for the tests. */
import type { Linter } from 'eslint';

/** The whole configuration of lint for a repository at `root`, an absolute path. */
export function lintConfig(root: string): Linter.Config[];
