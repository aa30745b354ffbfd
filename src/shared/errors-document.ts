/** `docs/errors.md`, written from the table of reasons by `npm run docs` and compared in CI. */
import { REASONS, REASON_CODES } from './reasons.ts';
import { PASSING_REASONS, RECORD_REASONS, RECORD_REASON_CODES } from './record-reasons.ts';

const OUTCOMES = {
  refuse: 'Not acknowledged: the tracker keeps it and sends it again.',
  dead_letter: 'Kept on the dead-letter stream `telemetry:dlq` with its bytes and acknowledged: it never blocks a tracker.',
  skip: 'Passed over and not acknowledged.',
  close: 'The connection ends; what was not acknowledged is sent again on the next one.',
} as const;

function recordReasons(): string[] {
  return [
    '## records over HTTP',
    '',
    'Why a record that was posted to `/v1/records` is not kept: `reason` of an item of `errors`, and the label of',
    '`odograph_http_records_total`. It goes back to its sender, who can mend it, and is no dead letter. Written from',
    '`src/shared/record-reasons.ts`.',
    '',
    '| code | meaning | the same record later |',
    '| --- | --- | --- |',
    ...RECORD_REASON_CODES.map((code) => `| \`${code}\` | ${RECORD_REASONS[code]} | ${PASSING_REASONS.has(code) ? 'can be kept' : 'is refused again'} |`),
    '',
  ];
}

/** Markdown. */
export function errorsDocument(): string {
  const sections = Object.entries(OUTCOMES).flatMap(([outcome, meaning]) => [
    `## ${outcome.replace('_', ' ')}`,
    '',
    meaning,
    '',
    '| code | meaning |',
    '| --- | --- |',
    ...REASON_CODES.filter((code) => REASONS[code].outcome === outcome).map((code) => `| \`${code}\` | ${REASONS[code].meaning} |`),
    '',
  ]);
  return [
    '# Reasons',
    '',
    'Why something that a tracker sent is not a row of `positions`. The code is the label `reason` of',
    '`odograph_ingest_rejections_total`, `odograph_ingest_dead_letters_total`, `odograph_ingest_disconnections_total` and',
    '`odograph_core_dead_letters_total`, the field `reason` of log lines, and the field `reason` of a dead letter.',
    'Written from `src/shared/reasons.ts` by `npm run docs`; do not edit.',
    '',
    ...sections,
    ...recordReasons(),
  ].join('\n');
}
