/** Memory for COPY: a connection's own, large enough, and given up where it may still be read. */
import { Client } from 'pg';
import { expect, test } from 'vitest';
import { copyMemory, forgetCopyMemory } from '../../src/core/copy-memory.ts';

test('a connection gets the same memory again while it is large enough', () => {
  const client = new Client();
  const first = copyMemory(client, 1_000);
  expect(first.length).toBeGreaterThanOrEqual(1_000);
  expect(copyMemory(client, 900)).toBe(first);
  const larger = copyMemory(client, 5_000);
  expect(larger.length).toBeGreaterThanOrEqual(5_000);
  expect(copyMemory(client, 1_000)).toBe(larger);
});

test('two connections never share it', () => {
  expect(copyMemory(new Client(), 100).buffer).not.toBe(copyMemory(new Client(), 100).buffer);
});

test('what a connection may still be sending is not given again', () => {
  const client = new Client();
  const first = copyMemory(client, 100);
  forgetCopyMemory(client);
  expect(copyMemory(client, 100)).not.toBe(first);
});

test('memory for a huge batch is not kept', () => {
  const client = new Client();
  const bytes = 16 * 1024 * 1024;
  expect(copyMemory(client, bytes)).not.toBe(copyMemory(client, bytes));
});
