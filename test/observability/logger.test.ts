import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { expect, it } from 'vitest';

const run = promisify(execFile);

/** What a process logs whose output is no terminal. */
async function logged(settings: object, statement: string): Promise<Record<string, unknown>[]> {
  const module = new URL('../../src/observability/logger.ts', import.meta.url).href;
  const options = JSON.stringify({ LOG_LEVEL: 'info', LOG_FORMAT: 'auto', INSTANCE_ID: 'one', ...settings });
  const script = `import { createLogger } from '${module}'; const log = createLogger(${options}); ${statement}`;
  const { stdout } = await run(process.execPath, ['--input-type=module', '--eval', script]);
  return stdout.split('\n').filter((line) => line !== '').map((line) => JSON.parse(line) as Record<string, unknown>);
}

it('a line is JSON with ISO time, level name, instance and message', async () => {
  const [line, ...others] = await logged({}, "log.warn({ reason: 'oom' }, 'cannot append');");
  expect(others).toEqual([]);
  expect(line).toEqual({ level: 'warn', time: expect.any(String) as string, instance: 'one', reason: 'oom', msg: 'cannot append' });
  expect(new Date(line!['time'] as string).toISOString()).toBe(line!['time']);
});

it('LOG_LEVEL is the least severe level that is logged', async () => {
  const statements = "log.debug('a'); log.info('b'); log.warn('c'); log.error('d');";
  expect((await logged({ LOG_LEVEL: 'warn' }, statements)).map(({ msg }) => msg)).toEqual(['c', 'd']);
  expect(await logged({ LOG_LEVEL: 'silent' }, statements)).toEqual([]);
});

it('an error is logged with its stack', async () => {
  const [line] = await logged({ LOG_FORMAT: 'json' }, "log.error({ err: new TypeError('no field') }, 'decoder threw');");
  expect(line!['err']).toMatchObject({ type: 'TypeError', message: 'no field', stack: expect.stringContaining('TypeError') as string });
});
