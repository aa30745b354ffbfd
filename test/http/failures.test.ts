import { expect, test } from 'vitest';
import { PROBLEMS } from '../../src/http/problems.ts';
import { problemsDocument } from '../../src/http/problems-document.ts';

test.each(Object.entries(PROBLEMS))('%s has a status of its kind, words for people, and a row in docs/errors.md', (code, { status, title, doc }) => {
  expect(code).toMatch(/^[a-z]+(_[a-z]+)*$/);
  expect(status).toBeGreaterThanOrEqual(400);
  expect(status).toBeLessThan(600);
  expect(doc.endsWith('.')).toBe(true);
  expect(problemsDocument()).toContain(`| \`${code}\` | ${status} | ${title}. ${doc} |`);
});
