import { expect, test } from 'vitest';
import { cutIntoBuckets } from '../../../src/query/calendar/buckets.ts';
import type { Step } from '../../../src/query/calendar/step.ts';
import { parseStep } from '../../../src/query/calendar/step.ts';
import { needsRaw } from '../../../src/query/series/question.ts';
import { measureOf } from '../../../src/query/series/names.ts';
import { shortestSingle } from '../../../src/query/series/rounding.ts';
import type { RoutingQuestion } from '../../../src/query/series/routing.ts';
import { route } from '../../../src/query/series/routing.ts';

const HOUR_MS = 3_600_000;
const NOW = Date.parse('2026-05-04T12:00:00Z');
const ALL = { raw: -Infinity, minutes: -Infinity, hours: -Infinity };

function sourceOf(hours: number, step: string, options: Partial<RoutingQuestion> & { zone?: string } = {}): string {
  const { zone = 'UTC', ...rest } = options;
  const range = { from: NOW - hours * HOUR_MS, to: NOW };
  const buckets = cutIntoBuckets(range, parseStep(step) as Step, zone, 100_000);
  const answer = route({ range, buckets, needsRaw: null, forced: undefined, oldest: ALL, ...rest });
  return answer.kind === 'source' ? answer.source : answer.reason;
}

test('raw up to an hour, minutes up to a day, hours beyond', () => {
  expect([0.5, 1, 1.5, 24, 25, 720].map((hours) => sourceOf(hours, 'PT1H'))).toEqual(
    ['raw', 'raw', 'minutes', 'minutes', 'hours', 'hours']);
});

test('a step that is no multiple of the rollup goes to a finer level', () => {
  expect(sourceOf(168, 'PT15M')).toBe('minutes');
  expect(sourceOf(168, 'PT30S')).toBe('raw');
  expect(sourceOf(12, '90')).toBe('raw');
  expect(sourceOf(720, 'P1D', { zone: 'Asia/Kolkata' })).toBe('minutes');
  expect(sourceOf(720, 'P1D', { zone: 'Europe/Berlin' })).toBe('hours');
});

test('a level that does not go back so far is passed over for a coarser one that does', () => {
  const oldest = { raw: NOW - 48 * HOUR_MS, minutes: NOW - 240 * HOUR_MS, hours: -Infinity };
  const ago = (days: number) => {
    const [raw, minutes] = [oldest.raw, oldest.minutes].map((ts) => ts + days * 24 * HOUR_MS) as [number, number];
    return { oldest: { raw, minutes, hours: -Infinity } };
  };
  expect(sourceOf(1, 'PT1H', ago(0))).toBe('raw');
  expect(sourceOf(1, 'PT1H', ago(3))).toBe('minutes');
  expect(sourceOf(1, 'PT1H', ago(30))).toBe('hours');
  expect(sourceOf(1, 'PT1M', ago(30))).toBe('minutes');
});

test('a level that is insisted on is taken, or it is said why not', () => {
  expect(sourceOf(720, 'PT1H', { forced: 'raw' })).toBe('raw');
  expect(sourceOf(0.5, 'PT1H', { forced: 'hours' })).toBe('hours');
  expect(sourceOf(24, 'PT15M', { forced: 'hours' })).toBe('the buckets are not made of whole hours');
  expect(sourceOf(24, 'PT1H', { forced: 'hours', needsRaw: 'no' })).toBe('no');
});

test('what rollups do not have comes from the records', () => {
  const needs = (name: string, agg: 'avg' | 'first' | 'p95' | 'min', by: 'device' | 'all' = 'device'): boolean =>
    needsRaw({ measures: [measureOf(name)], aggregates: [agg], by }) !== null;
  expect([needs('speed', 'avg'), needs('speed', 'first'), needs('speed', 'p95'), needs('course', 'first')]).toEqual([false, false, true, true]);
  expect([needs('latitude', 'first'), needs('latitude', 'min'), needs('speed', 'first', 'all')]).toEqual([false, true, true]);
  expect(measureOf('attributes.speed')).toEqual({ kind: 'attribute', name: 'speed' });
});

test('single precision is shown with the digits that were sent', () => {
  for (const value of [12.3, 0.1, -500.25, 1_234.567, 88_848.5, 3.4e38, 0, 16_777_216]) {
    expect(shortestSingle(Math.fround(value))).toBe(value);
  }
});
