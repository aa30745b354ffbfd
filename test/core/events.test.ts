/** What the processor says of what fails over and over again. */
import { pino } from 'pino';
import { Registry } from 'prom-client';
import { expect, test } from 'vitest';
import { createCoreEvents } from '../../src/core/events.ts';
import { createCoreMetrics } from '../../src/observability/metrics/core.ts';

function recorded() {
  const lines: string[] = [];
  const log = pino({}, { write: (line: string) => { lines.push((JSON.parse(line) as { msg: string }).msg); } });
  return { events: createCoreEvents(createCoreMetrics(new Registry()), log), lines };
}

test('a step that fails a thousand times in a row is logged twenty times, and another one all the same', () => {
  const { events, lines } = recorded();
  for (let n = 0; n < 1_000; n += 1) events.upkeepFailed('acknowledging stream entries', new Error('READONLY'));
  events.upkeepFailed('trimming the stream', new Error('READONLY'));
  expect(lines).toHaveLength(21);
  expect(lines.at(-1)).toBe('trimming the stream failed; trying again');
});

test('an absent database is told once, again when the obstacle is another one, and once more when it is there', () => {
  const { events, lines } = recorded();
  const unreachable = { obstacle: 'unreachable', line: 'unreachable (nobody listens)' };
  for (let n = 0; n < 10; n += 1) events.databaseAway(unreachable);
  events.databaseAway({ obstacle: 'login refused', line: 'login refused (wrong password)' });
  events.databaseThere();
  events.databaseThere();
  expect(lines).toEqual([
    'PostgreSQL: unreachable (nobody listens); waiting for it',
    'PostgreSQL: login refused (wrong password); waiting for it',
    'PostgreSQL is there',
  ]);
});
