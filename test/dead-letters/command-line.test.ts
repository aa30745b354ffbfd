/** What a command line asks for, and what it is told when that cannot be. */
import { describe, expect, it, vi } from 'vitest';
import type { Command } from '../../src/dead-letters/command-line.ts';
import { readCommandLine } from '../../src/dead-letters/command-line.ts';
import { isEverything, isInTime, isSelected } from '../../src/dead-letters/selection.ts';
import { OptionsError } from '../../src/shared/option-reader.ts';
import { letter } from './support.ts';

const NOW = Date.UTC(2026, 10, 20, 12);

function read(text: string): Command | number {
  return readCommandLine(['node', 'dlq', ...text.split(' ').filter((part) => part !== '')], NOW);
}

function command(text: string): Command {
  const result = read(text);
  if (typeof result === 'number') expect.fail(`exit code ${result}`);
  return result;
}

function problemsOf(text: string): string[] {
  try {
    read(text);
  } catch (error) {
    if (error instanceof OptionsError) return error.message.split('\n');
    throw error;
  }
  return [];
}

describe('a command line', () => {
  it('without filters is about every letter', () => {
    const { name, selection, json, dryRun } = command('list');
    expect({ name, json, dryRun }).toEqual({ name: 'list', json: false, dryRun: false });
    expect(isEverything(selection)).toBe(true);
    expect(selection.limit).toBe(Infinity);
  });

  it('names filters, ids and flags, and a list once or in parts', () => {
    const { selection, ...others } = command(
      'replay 1-0 2-7 --reason bad_field,truncated --reason clock_ahead --device 1,2 --protocol gt06 --limit 3 --dry-run --json',
    );
    expect(others).toEqual({ name: 'replay', json: true, dryRun: true });
    expect(selection).toMatchObject({
      ids: ['1-0', '2-7'], reasons: ['bad_field', 'truncated', 'clock_ahead'], devices: ['1', '2'], protocols: ['gt06'], limit: 3,
    });
  });

  it.each([
    ['2026-11-20T12:00:00Z', Date.UTC(2026, 10, 20, 12)],
    ['2026-11-20T12:00+02:00', Date.UTC(2026, 10, 20, 10)],
    ['2026-11-20', Date.UTC(2026, 10, 20)],
    ['2h', NOW - 7_200_000],
    ['7d', NOW - 7 * 86_400_000],
    ['0', NOW],
    ['1000000d', 0],
  ])('takes %s for a time', (text, at) => {
    expect(command(`list --since ${text}`).selection.sinceMs).toBe(at);
  });

  it.each([
    ['list --reason bad', /^--reason: expected one or more of count_mismatch, .*max_deliveries, got "bad"$/],
    ['list --reason idle_timeout', /^--reason: expected one or more of/],
    ['list --protocol h02', /^--protocol: expected one or more of teltonika, gt06, got "h02"$/],
    ['list --since yesterday', /^--since: expected a time like .* or a duration ago like 2h, got "yesterday"$/],
    ['list --until 2026-11-20T12:00', /^--until: expected a time like/],
    ['list --since 1h --until 2h', /^--until: expected a time after that of --since, got "2h"$/],
    ['list --limit 0', /^--limit: expected a whole number from 1 to/],
    ['replay 17', /^id: expected one like 1763635200000-0, got "17"$/],
    ['purge', /^purge: expected ids, a filter, or --all/],
    ['purge --limit 5', /^purge: expected ids, a filter, or --all/],
    ['purge --all --device 1', /^--all: expected no ids and no filters beside it$/],
  ])('%s is told what was expected', (text, problem) => {
    expect(problemsOf(text)).toEqual([expect.stringMatching(problem)]);
  });

  it('is told of every problem at once', () => {
    expect(problemsOf('list --reason a,b --since c --limit d')).toHaveLength(4);
  });

  it.each([['purge --all'], ['purge 1-0'], ['purge --since 1h'], ['purge --reason bad_field --limit 1']])('%s is enough', (text) => {
    expect(command(text).name).toBe('purge');
  });

  it.each([
    ['--help', 0], ['replay --help', 0], ['', 2], ['lst', 2], ['list --nothing', 2], ['show', 2], ['show 1-0 --dry-run', 2],
  ])('%j ends with %i', (text, code) => {
    const written = vi.spyOn(process.stdout, 'write').mockReturnValue(true);
    const complained = vi.spyOn(process.stderr, 'write').mockReturnValue(true);
    expect(read(text)).toBe(code);
    expect(written.mock.calls.length + complained.mock.calls.length).toBeGreaterThan(0);
    vi.restoreAllMocks();
  });
});

describe('a selection', () => {
  it.each([
    ['--reason bad_field', true], ['--reason truncated', false], ['--reason truncated,bad_field', true],
    ['--device 356307042441013', true], ['--device 35630704244101', false],
    ['--protocol teltonika', true], ['--protocol gt06', false], ['--reason bad_field --protocol gt06', false], ['', true],
  ])('%j takes the letter: %s', (text, isTaken) => {
    expect(isSelected(command(`list ${text}`).selection, letter())).toBe(isTaken);
  });

  it('by what is in a letter never takes one that cannot be read, nor a device one of nobody', () => {
    const { selection } = command('list --device 1');
    expect(isSelected(selection, null)).toBe(false);
    expect(isSelected(selection, letter({ deviceId: null }))).toBe(false);
    expect(isSelected(command('list').selection, null)).toBe(true);
  });

  it('by time takes both ends', () => {
    const { selection } = command('list --since 1970-01-01T00:00:01Z --until 1970-01-01T00:00:02Z');
    expect(['999-9', '1000-0', '2000-7', '2001-0'].map((id) => isInTime(selection, id))).toEqual([false, true, true, false]);
  });
});
