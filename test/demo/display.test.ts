/** What the demo prints, on a terminal and into a log. */
import { expect, test } from 'vitest';
import type { Terminal } from '../../src/demo/display.ts';
import { addresses, Display } from '../../src/demo/display.ts';
import type { Figures } from '../../src/demo/figures.ts';
import { figuresOf, rateBetween } from '../../src/demo/figures.ts';

const ZERO: Figures = { at: 0, acknowledged: 0, stored: 0, duplicates: 0, deadLetters: 0, lagEntries: 0, devices: 0 };

/** Without a size it is no terminal. */
function terminal(size?: readonly [number, number]): Terminal & { written: string[] } {
  const written: string[] = [];
  const write = (text: string): unknown => written.push(text);
  return { written, write, isTTY: size !== undefined, getWindowSize: () => size ?? [0, 0] };
}

test('reads its figures from the metrics, summed over labels', () => {
  const text = [
    'odograph_ingest_records_total{protocol="teltonika"} 100',
    'odograph_ingest_records_total{protocol="gt06"} 20',
    'processor_position_writes_total{status="inserted"} 110',
    'processor_position_writes_total{status="duplicate"} 4',
    'processor_position_writes_total{status="failed"} 1',
    'odograph_ingest_dead_letters_total{protocol="teltonika",reason="clock_ahead"} 2',
    'odograph_core_dead_letters_total{reason="database_refused"} 1',
    'processor_consumer_lag 6',
    'processor_device_state_size 50',
  ].join('\n');
  const expected = { at: 7, acknowledged: 120, stored: 110, duplicates: 4, deadLetters: 3, lagEntries: 6, devices: 50 };
  expect(figuresOf(text, 7)).toEqual(expected);
});

test('the rate is of acknowledged records, per second', () => {
  expect(rateBetween(ZERO, { ...ZERO, at: 2_000, acknowledged: 101 })).toBe(50.5);
  expect(rateBetween(undefined, ZERO)).toBe(0);
});

test('on a terminal the figures replace those before, and not what was said in between', () => {
  const out = terminal([80, 24]);
  const display = new Display(out);
  display.figures(ZERO);
  display.figures({ ...ZERO, at: 1_000, acknowledged: 50, stored: 1_234 });
  display.say('something');
  display.figures({ ...ZERO, at: 2_000, acknowledged: 100 });
  expect(out.written).toEqual([
    '  records 0.0/s acknowledged; since the start 0 stored, 0 duplicates\n  devices 0, consumer lag 0, dead letters 0\n',
    '\u001b[1A\u001b[2K\u001b[1A\u001b[2K  records 50.0/s acknowledged; since the start 1,234 stored, 0 duplicates\n  devices 0, consumer lag 0, dead letters 0\n',
    'something\n',
    '  records 50.0/s acknowledged; since the start 0 stored, 0 duplicates\n  devices 0, consumer lag 0, dead letters 0\n',
  ]);
});

test('lines are cut to the width of the terminal, so that they do not wrap', () => {
  const out = terminal([20, 24]);
  new Display(out).figures(ZERO);
  expect(out.written).toEqual(['  records 0.0/s ack\n  devices 0, consum\n']);
});

test('elsewhere it is a line every five seconds', () => {
  const out = terminal();
  const display = new Display(out);
  for (let at = 0; at <= 10_000; at += 1_000) display.figures({ ...ZERO, at, acknowledged: at / 1_000 });
  expect(out.written).toHaveLength(3);
  expect(out.written.at(-1)).toBe('  records 1.0/s acknowledged; since the start 0 stored, 0 duplicates; devices 0, consumer lag 0, dead letters 0\n');
});

test('addresses are those to connect to, with the transport where it is not TCP', () => {
  const text = addresses(
    {
      pid: 1,
      redisUrl: 'redis://:r@127.0.0.1:1',
      postgresUrl: 'postgres://odograph:p@127.0.0.1:2/odograph',
      metricsUrl: 'http://127.0.0.1:9090',
      liveUrl: 'ws://127.0.0.1:8081/live',
      apiUrl: 'http://127.0.0.1:8080',
      listeners: [
        { protocol: 'teltonika', transport: 'tcp', host: '0.0.0.0', port: 5027 },
        { protocol: 'teltonika', transport: 'tls', host: '::', port: 5028 },
      ],
    },
    '/data',
  );
  expect(text).toContain('teltonika 127.0.0.1:5027, teltonika+tls ::1:5028\n');
  expect(text).toContain('http://127.0.0.1:9090/metrics\n');
  expect(text).toContain('ws://127.0.0.1:8081/live\n');
  expect(text).toContain("psql 'postgres://odograph:p@127.0.0.1:2/odograph'\n");
  expect(text).toContain('/data/auth-token\n');
});
