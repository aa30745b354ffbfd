import { pino } from 'pino';
import { expect, it } from 'vitest';
import { createIngestEvents } from '../../src/ingest/events.ts';
import { createIngestMetrics } from '../../src/observability/metrics/ingest.ts';
import { Registry } from '../../src/observability/metrics/registry.ts';
import { DEAD_LETTER_REASONS, REASON_CODES } from '../../src/shared/reasons.ts';

it('a listener has a counter of each reason from the start, so that the first of a kind is an increase', async () => {
  const registry = new Registry();
  const events = createIngestEvents(createIngestMetrics(registry), pino({ level: 'silent' }));
  events.listening({ protocol: 'gt06', transport: 'tcp', port: 5_023 });
  const lines = (await registry.metrics()).split('\n');
  const series = (name: string, reason: string): string => `odograph_ingest_${name}{protocol="gt06",reason="${reason}"} 0`;
  expect(lines).toEqual(expect.arrayContaining([
    ...DEAD_LETTER_REASONS.map((reason) => series('dead_letters_total', reason)),
    ...REASON_CODES.map((reason) => series('rejections_total', reason)),
  ]));
  expect(DEAD_LETTER_REASONS).toEqual(expect.arrayContaining(['count_mismatch', 'bad_field', 'internal_error']));
});
