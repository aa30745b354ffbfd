/** The reader of Prometheus' text format, against what prom-client writes and against the format's own corners. */
import { Counter, Gauge, Histogram, Registry } from 'prom-client';
import { expect, test } from 'vitest';
import { parseMetrics, total } from '../../src/shared/metrics-text.ts';

test('reads names, labels, values and timestamps, and passes over comments and empty lines', () => {
  const text = [
    '# HELP http_requests_total Requests.',
    '# TYPE http_requests_total counter',
    'http_requests_total{method="post",code="200"} 1027 1395066363000',
    '',
    'msdos_file_access_time_seconds{path="C:\\\\DIR\\\\{a},\\"b\\"\\nc"} 1.458255915e9',
    'metric_without_labels 12.47',
    'trailing_comma{a="1",} 3',
    'up{} 1',
    'odd{a="x"} +Inf',
    'nothing NaN',
  ].join('\n');
  expect(parseMetrics(text)).toEqual([
    { name: 'http_requests_total', labels: new Map([['method', 'post'], ['code', '200']]), value: 1027 },
    { name: 'msdos_file_access_time_seconds', labels: new Map([['path', 'C:\\DIR\\{a},"b"\nc']]), value: 1458255915 },
    { name: 'metric_without_labels', labels: new Map(), value: 12.47 },
    { name: 'trailing_comma', labels: new Map([['a', '1']]), value: 3 },
    { name: 'up', labels: new Map(), value: 1 },
    { name: 'odd', labels: new Map([['a', 'x']]), value: Infinity },
    { name: 'nothing', labels: new Map(), value: NaN },
  ]);
});

test('passes over lines that are no samples', () => {
  expect(parseMetrics('<html>\nnot a metric at all\n{a="1"} 2\nname value\n')).toEqual([]);
});

test('reads what prom-client writes', async () => {
  const registry = new Registry();
  const registers = [registry];
  const records = new Counter({ registers, name: 'records_total', help: 'h', labelNames: ['status', 'protocol'] });
  records.inc({ status: 'inserted', protocol: 'teltonika' }, 40);
  records.inc({ status: 'inserted', protocol: 'gt06' }, 2);
  records.inc({ status: 'failed', protocol: 'a "quoted"\\\nname' }, 1);
  new Gauge({ registers, name: 'devices', help: 'h' }).set(50);
  new Histogram({ registers, name: 'seconds', help: 'h', buckets: [1] }).observe(3);
  const samples = parseMetrics(await registry.metrics());
  expect(total(samples, 'records_total', { status: 'inserted' })).toBe(42);
  expect(total(samples, 'records_total')).toBe(43);
  expect(total(samples, 'records_total', { protocol: 'a "quoted"\\\nname' })).toBe(1);
  expect(total(samples, 'devices')).toBe(50);
  expect(total(samples, 'seconds_bucket', { le: '+Inf' })).toBe(1);
});

test('a metric that is not there counts as 0', () => {
  expect(total(parseMetrics('records 1'), 'devices')).toBe(0);
});
