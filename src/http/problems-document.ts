/** The part of `docs/errors.md` about the HTTP API, made from the table of problems. */
import { PROBLEMS } from './problems.ts';

/** Markdown. */
export function problemsDocument(): string {
  return [
    '# Problems',
    '',
    'How the HTTP API says no: `application/problem+json` (RFC 9457) with the code as `code` and `urn:odograph:problem:<code>`',
    'as `type`. Written from `src/http/problems.ts` by `npm run docs`; do not edit.',
    '',
    '| code | status | meaning |',
    '| --- | --- | --- |',
    ...Object.entries(PROBLEMS).map(([code, { status, title, doc }]) => `| \`${code}\` | ${status} | ${title}. ${doc} |`),
    '',
  ].join('\n');
}
