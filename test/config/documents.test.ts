import { hostname } from 'node:os';
import { describe, expect, it } from 'vitest';
import { configDocument, envExample } from '../../src/config/documents.ts';
import { loadSettings } from '../../src/config/load.ts';
import type { Setting } from '../../src/config/setting.ts';
import { SECTIONS, SETTINGS } from '../../src/config/settings.ts';

const entries = Object.entries(SETTINGS) as [string, Setting<unknown>][];

describe('.env.example', () => {
  const example = envExample();

  it.each(entries)('has %s with its default and what it is for', (name, setting) => {
    const lines = example.split('\n');
    const at = lines.findIndex((line) => line.startsWith(`# ${name}=`));
    expect(lines[at]).toBe(`# ${name}=${name === 'INSTANCE_ID' ? '' : (setting.default ?? '')}`);
    expect(lines[at - 1]).toContain(setting.doc.replaceAll('`', ''));
    if (setting.unit !== '') expect(lines[at - 1]).toContain(`(${setting.unit})`);
  });

  it('is the defaults, once its settings are no comments', () => {
    const pairs = [...example.matchAll(/^# ([A-Z_]+)=(.*)$/gm)].map(([, name, value]) => [name, value]);
    expect(pairs).toHaveLength(entries.length);
    expect(loadSettings(Object.fromEntries(pairs) as Record<string, string>)).toEqual(loadSettings({}));
  });
});

describe('docs/config.md', () => {
  const document = configDocument();

  it.each(entries)('has %s with its default, its unit, what it is for and what it takes', (name, setting) => {
    const row = document.split('\n').find((line) => line.startsWith(`| \`${name}\` |`));
    expect(row).toBeDefined();
    const cells = row!.split(/(?<!\\)\|/).map((cell) => cell.trim().replaceAll('\\|', '|'));
    expect(cells).toHaveLength(6);
    const shown = name === 'INSTANCE_ID' ? null : setting.default;
    expect(cells.slice(2, 4)).toEqual([(shown ?? '') === '' ? '–' : `\`${shown}\``, setting.unit === '' ? '–' : setting.unit]);
    expect(cells[4]).toBe(`${setting.doc} Takes ${setting.expected}.`);
  });

  it('has a section for each of the table', () => {
    for (const { title } of SECTIONS) expect(document).toContain(`\n## ${title}\n`);
  });
});

it('no document has what differs from machine to machine', () => {
  const row = configDocument().split('\n').find((line) => line.includes('`INSTANCE_ID`'));
  expect(row).not.toContain(`\`${hostname()}\``);
});

it('a setting is in one section only', () => {
  const names = SECTIONS.flatMap(({ settings }) => Object.keys(settings));
  expect(new Set(names).size).toBe(names.length);
  expect(names).toHaveLength(entries.length);
});
