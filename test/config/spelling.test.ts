import { expect, it } from 'vitest';
import { closest } from '../../src/config/spelling.ts';

const NAMES = ['INGEST_HOST', 'INGEST_REPLICAS', 'METRICS_HOST', 'LOG_LEVEL'];

it.each([
  ['INGEST_HOSTS', 'INGEST_HOST'],
  ['INGST_HOST', 'INGEST_HOST'],
  ['INGEST_REPLICA', 'INGEST_REPLICAS'],
  ['LOGLEVEL', 'LOG_LEVEL'],
  ['INGEST_HOST', 'INGEST_HOST'],
])('what is most like %s is %s', (name, suggestion) => {
  expect(closest(name, NAMES)).toBe(suggestion);
});

it.each(['', 'A', 'SOMETHING_ELSE_ALTOGETHER', 'INGEST_'])('nothing is like %j', (name) => {
  expect(closest(name, NAMES)).toBeUndefined();
});
