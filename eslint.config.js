/** Lint of this repository. The rules are in `eslint/config.js`, the areas of `src` in `eslint/zones.js`. */
import { lintConfig } from './eslint/config.js';

export default lintConfig(import.meta.dirname);
