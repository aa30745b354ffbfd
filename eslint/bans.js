/** What lint forbids by name. Every ban says what to use instead. */

const ENVIRONMENT = 'Settings are read once, by src/main.ts: take the value as an argument, and name it in src/config/settings.ts.';
const SILENT = 'Say what happened: return a value, count it, log it, or rethrow.';

/** `process.env` in its spellings. */
export const environmentProperties = [{ object: 'process', property: 'env', message: ENVIRONMENT }];
export const environmentSyntax = [
  { selector: "MemberExpression[property.name='env'][object.property.name='process']", message: ENVIRONMENT },
];
export const environmentImports = [{ name: 'node:process', importNames: ['env', 'default'], message: ENVIRONMENT }];

/** Everywhere. */
export const commonSyntax = [
  { selector: 'ExportAllDeclaration', message: 'No barrels: import from the file that declares the name.' },
  { selector: 'CatchClause > BlockStatement[body.length=0]', message: SILENT },
  {
    selector: "CallExpression[callee.property.name='catch'] > ArrowFunctionExpression > BlockStatement[body.length=0]",
    message: SILENT,
  },
  {
    selector: "CallExpression[callee.property.name='catch'] > ArrowFunctionExpression > Identifier.body[name='undefined']",
    message: SILENT,
  },
];

/** In `test`. */
export const testSyntax = [
  {
    selector: 'CallExpression[callee.name=/^(it|test|describe)$/] > Literal.arguments:first-child[value=/^should\\b/i]',
    message: "A title is a fact: 'acknowledges only after the append', not 'should …'.",
  },
  {
    selector: "NewExpression[callee.name='Promise'] CallExpression[callee.name='setTimeout'][arguments.0.name='resolve']",
    message: 'No fixed sleeps: wait for the condition with eventually() of test/support/eventually.ts, or use fake timers.',
  },
];

export const testImports = [
  {
    name: 'node:timers/promises',
    message: 'No fixed sleeps: wait for the condition with eventually() of test/support/eventually.ts, or use fake timers.',
  },
];

const OUTSIDE_WORLD = [
  'node:net', 'node:tls', 'node:dgram', 'node:http', 'node:https', 'node:fs', 'node:fs/promises', 'node:child_process',
  'node:timers', 'node:timers/promises', 'pg', 'pg-copy-streams', 'ioredis', 'pino', 'prom-client',
];

/** In `src/protocols`: bytes in, values out. */
export const pureImports = OUTSIDE_WORLD.map((name) => ({
  name,
  message: 'A protocol is pure: take bytes, times and values as arguments, and let the role that calls it do the rest.',
}));

export const pureProperties = [
  { object: 'Date', property: 'now', message: 'Take the time as an argument, such as receivedAt.' },
  { object: 'Math', property: 'random', message: 'Take what varies as an argument.' },
];

/** In `src/ingest`. */
export const databaseImports = ['pg', 'pg-copy-streams'].map((name) => ({
  name,
  message: 'Ingest knows no database: publish to the stream; src/core writes what comes out of it.',
}));
