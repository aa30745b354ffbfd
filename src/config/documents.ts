/** `.env.example` and `docs/config.md`, written from the table of settings by `npm run docs` and compared in CI. */
import type { Setting } from './setting.ts';
import { SECTIONS } from './settings.ts';

/** Defaults that differ from machine to machine are described, not printed. */
const MACHINE_DEFAULTS = new Set(['INSTANCE_ID']);

function shownDefault(name: string, setting: Setting<unknown>): string {
  return MACHINE_DEFAULTS.has(name) ? '' : (setting.default ?? '');
}

function example([name, setting]: [string, Setting<unknown>]): string {
  const unit = setting.unit === '' ? '' : ` (${setting.unit})`;
  return `# ${setting.doc.replaceAll('`', '')}${unit}\n# ${name}=${shownDefault(name, setting)}\n`;
}

export function envExample(): string {
  const head = '# Settings of Odograph, each with its default. Written from src/config/settings.ts by `npm run docs`.\n';
  const sections = SECTIONS.map(({ title, settings }) => `\n# --- ${title} ---\n\n${Object.entries(settings).map(example).join('\n')}`);
  return head + sections.join('');
}

function row([name, setting]: [string, Setting<unknown>]): string {
  const fallback = shownDefault(name, setting);
  const cells = [`\`${name}\``, fallback === '' ? '–' : `\`${fallback}\``, setting.unit || '–', `${setting.doc} Takes ${setting.expected}.`];
  return `| ${cells.map((cell) => cell.replaceAll('|', '\\|')).join(' | ')} |`;
}

export function configDocument(): string {
  const head = [
    '# Settings',
    '',
    'Every setting is an environment variable. Written from `src/config/settings.ts` by `npm run docs`; do not edit.',
    'An empty variable counts as absent. A start with wrong settings prints every problem at once and exits with 2.',
    '',
  ];
  const sections = SECTIONS.flatMap(({ title, settings }) => [
    `## ${title}`,
    '',
    '| name | default | unit | what |',
    '| --- | --- | --- | --- |',
    ...Object.entries(settings).map(row),
    '',
  ]);
  return [...head, ...sections].join('\n');
}
