/**
 * The configuration of lint, for a repository at a given root, so that `test/lint` can run exactly these rules over a
 * tree of its own. Bans by name are in `bans.js`, the areas of `src` in `zones.js`; an exception from a preset has its
 * reason beside it.
 */
import js from '@eslint/js';
import { fixupPluginRules } from '@eslint/compat';
import importPlugin from 'eslint-plugin-import';
import tseslint from 'typescript-eslint';
import * as bans from './bans.js';
import { restrictedZones } from './zones.js';

/** Files that may read `process.env`: they hand it to the table of settings, or are tools beside the product. */
const READS_ENVIRONMENT = [
  'src/main.ts', 'src/config/**/*.ts', 'src/demo/**/*.ts', 'src/simulator/main.ts', 'src/simulator/options.ts',
  'src/dead-letters/main.ts', 'src/accounts/keys-main.ts', 'src/accounts/users-main.ts',
];

/** Files whose output is the terminal's. */
const TALKS_TO_TERMINAL = ['src/demo/**/*.ts', 'src/simulator/**/*.ts'];

/** Files that the image does not run, and which may therefore use packages that it does not have. */
const BESIDE_THE_IMAGE = [
  'test/**', 'bench/**', 'scripts/**', 'eslint/**', '*.js', '*.ts', 'src/embedded/**', 'src/demo/**', 'src/simulator/**',
];

const ignored = { ignores: ['node_modules/**', 'coverage/**', '.odograph/**', '**/*.d.ts', '**/*.d.mts'] };

const language = (root) => ({
  files: ['**/*.ts'],
  languageOptions: { parserOptions: { projectService: true, tsconfigRootDir: root } },
  linterOptions: { reportUnusedDisableDirectives: 'error', reportUnusedInlineConfigs: 'error' },
});

/** `src/main.ts` and everything it reaches, as strict as the presets go. */
const typescript = {
  files: ['**/*.ts'],
  rules: {
    '@typescript-eslint/no-floating-promises': 'error',
    '@typescript-eslint/no-misused-promises': 'error',
    '@typescript-eslint/no-explicit-any': 'error',
    '@typescript-eslint/switch-exhaustiveness-check': ['error', { considerDefaultExhaustiveForUnions: true }],
    '@typescript-eslint/consistent-type-imports': ['error', { prefer: 'type-imports', fixStyle: 'separate-type-imports' }],
    '@typescript-eslint/consistent-type-exports': 'error',
    '@typescript-eslint/no-import-type-side-effects': 'error',
    '@typescript-eslint/ban-ts-comment': [
      'error', { 'ts-ignore': true, 'ts-nocheck': true, 'ts-expect-error': 'allow-with-description', minimumDescriptionLength: 10 },
    ],
    // Numbers and bigints in a message read as intended; objects and undefined do not.
    '@typescript-eslint/restrict-template-expressions': ['error', { allowNumber: true, allowBoolean: true }],
    // `() => socket.destroy()` is how a callback without a result is written.
    '@typescript-eslint/no-confusing-void-expression': ['error', { ignoreArrowShorthand: true, ignoreVoidReturningFunctions: true }],
    // The compiler takes `signal.aborted`, once read, for the same after every `await`: most of what the rule reports
    // are such second looks, and following it would remove them.
    '@typescript-eslint/no-unnecessary-condition': 'off',
    // An empty environment variable counts as absent: `||` is meant.
    '@typescript-eslint/prefer-nullish-coalescing': ['error', { ignorePrimitives: { string: true } }],
    // `environment['REDIS_URL']`: brackets say that the key may be absent.
    '@typescript-eslint/dot-notation': ['error', { allowIndexSignaturePropertyAccess: true }],
    // It asks for `!`, which is banned; a checked index is written `table[byte] as number`, with the reason beside it.
    '@typescript-eslint/non-nullable-type-assertion-style': 'off',
    // A function that fulfils an interface of promises need not have something to wait for.
    '@typescript-eslint/require-await': 'off',
    // `_` says: this parameter is here for its position; `{ secret, ...rest }` leaves a field out.
    '@typescript-eslint/no-unused-vars': ['error', { argsIgnorePattern: '^_', caughtErrors: 'all', ignoreRestSiblings: true }],
  },
};

const everywhere = {
  rules: {
    eqeqeq: 'error',
    'prefer-const': 'error',
    'no-var': 'error',
    'object-shorthand': 'error',
    'no-restricted-syntax': ['error', ...bans.commonSyntax],
    // Light formatting: what a diff would otherwise be full of. Long texts may stay on one line.
    'max-len': ['error', { code: 120, ignoreStrings: true, ignoreTemplateLiterals: true, ignoreUrls: true, ignoreRegExpLiterals: true }],
    quotes: ['error', 'single', { avoidEscape: true }],
    semi: 'error',
    'no-trailing-spaces': 'error',
    'eol-last': 'error',
  },
};

const imports = (root) => ({
  plugins: { import: fixupPluginRules(importPlugin) },
  settings: {
    // Without its parser `no-cycle` reads nothing of a TypeScript file and is silent.
    'import/parsers': { '@typescript-eslint/parser': ['.ts'] },
    'import/resolver': { typescript: { project: `${root}/tsconfig.json`, noWarnOnMultipleProjects: true }, node: true },
  },
  rules: {
    'import/no-restricted-paths': ['error', { basePath: root, zones: restrictedZones() }],
    'import/no-cycle': ['error', { ignoreExternal: true }],
    // `no-restricted-paths` lets pass what it cannot resolve: what does not resolve is an error of its own.
    'import/no-unresolved': 'error',
    'import/no-duplicates': ['error', { 'prefer-inline': false }],
    'import/no-self-import': 'error',
  },
});

const source = {
  files: ['src/**/*.ts'],
  rules: {
    'max-lines': ['error', { max: 300, skipBlankLines: true, skipComments: true }],
    'max-lines-per-function': ['error', { max: 50, skipBlankLines: true, skipComments: true, IIFEs: true }],
    'no-console': 'error',
    'import/no-default-export': 'error',
    'import/no-extraneous-dependencies': ['error', { devDependencies: false }],
    '@typescript-eslint/no-non-null-assertion': 'error',
    'no-restricted-properties': ['error', ...bans.environmentProperties],
    'no-restricted-syntax': ['error', ...bans.commonSyntax, ...bans.environmentSyntax],
    '@typescript-eslint/no-restricted-imports': ['error', { paths: bans.environmentImports }],
  },
};

/** Later entries replace the options of earlier ones, so each of these repeats what it keeps. */
const exceptions = [
  {
    files: ['src/protocols/**/*.ts'],
    rules: {
      '@typescript-eslint/no-restricted-imports': ['error', { paths: [...bans.environmentImports, ...bans.pureImports] }],
      'no-restricted-properties': ['error', ...bans.environmentProperties, ...bans.pureProperties],
    },
  },
  {
    files: ['src/ingest/**/*.ts'],
    rules: {
      '@typescript-eslint/no-restricted-imports': ['error', { paths: [...bans.environmentImports, ...bans.databaseImports] }],
    },
  },
  {
    files: READS_ENVIRONMENT,
    rules: {
      'no-restricted-properties': 'off',
      'no-restricted-syntax': ['error', ...bans.commonSyntax],
      '@typescript-eslint/no-restricted-imports': 'off',
    },
  },
  { files: TALKS_TO_TERMINAL, rules: { 'no-console': 'off' } },
  { files: BESIDE_THE_IMAGE, rules: { 'import/no-extraneous-dependencies': 'error' } },
];

const tests = [
  {
    files: ['test/**/*.ts', 'bench/**/*.ts'],
    rules: {
      // A test that is wrong about a value fails; asserting it away costs nothing there.
      '@typescript-eslint/no-non-null-assertion': 'off',
      // `expect(queue.push).toHaveBeenCalled()` names a method without calling it.
      '@typescript-eslint/unbound-method': 'off',
      'no-restricted-syntax': ['error', ...bans.commonSyntax, ...bans.testSyntax],
      '@typescript-eslint/no-restricted-imports': ['error', { paths: bans.testImports }],
    },
  },
  // What waits for a condition has to pause between two looks.
  { files: ['test/support/**/*.ts'], rules: { 'no-restricted-syntax': ['error', ...bans.commonSyntax], '@typescript-eslint/no-restricted-imports': 'off' } },
];

/** JavaScript here is configuration and launchers for Node: no types to check against. */
const javascript = {
  ...tseslint.configs.disableTypeChecked,
  files: ['**/*.js', '**/*.mjs'],
  languageOptions: {
    ...tseslint.configs.disableTypeChecked.languageOptions,
    globals: Object.fromEntries(
      ['process', 'console', 'Buffer', 'URL', 'fetch', 'AbortSignal', 'setTimeout', 'clearTimeout'].map((name) => [name, 'readonly']),
    ),
  },
};

/** The whole configuration for a repository at `root`, an absolute path. */
export function lintConfig(root) {
  return [
    ignored,
    js.configs.recommended,
    ...tseslint.configs.strictTypeChecked,
    ...tseslint.configs.stylisticTypeChecked,
    everywhere,
    imports(root),
    language(root),
    typescript,
    source,
    ...exceptions,
    ...tests,
    javascript,
  ];
}
