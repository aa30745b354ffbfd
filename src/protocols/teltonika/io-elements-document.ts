/** `docs/teltonika-io-elements.md`, written from the tables by `npm run docs` and compared in CI. */
import type { IoElement } from './io-elements/element.ts';
import { IO_ELEMENTS } from './io-elements.ts';

function row({ id, name, bytes, kind, signed, scale, unit }: IoElement): string {
  const type = kind === 'number' && signed ? 'signed number' : kind;
  return `| ${id} | \`${name}\` | ${bytes} | ${type} | ${scale} | ${unit || '–'} |`;
}

/** Markdown. */
export function ioElementsDocument(): string {
  const sorted = IO_ELEMENTS.toSorted((a, b) => a.id - b.id);
  return [
    '# Teltonika I/O elements',
    '',
    `The ${sorted.length} I/O elements of the FMB, FMC and FMM families that have a name; any other is kept as \`io<ID>\` with its raw`,
    'value. The value is the integer that the device sent times the scale. Written from `src/protocols/teltonika/io-elements/`',
    'by `npm run docs`; do not edit.',
    '',
    '| id | attribute | bytes | type | scale | unit |',
    '| --: | --- | --- | --- | --: | --- |',
    ...sorted.map(row),
    '',
  ].join('\n');
}
