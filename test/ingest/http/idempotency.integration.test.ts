/** A key is in use as long as its request is under way, and free soon after the process of it has ended. */
import { expect, test } from 'vitest';
import { IdempotencyKeys } from '../../../src/ingest/http/idempotency.ts';
import { eventually } from '../../support/eventually.ts';
import { createRedis } from '../../support/redis.ts';
import { lookInto } from '../support.ts';

const LOCK_MS = 150;
const REQUEST = ['array', 'body'];

async function openKeys(): Promise<IdempotencyKeys> {
  return new IdempotencyKeys({ redis: lookInto((await createRedis()).url), keepMs: 60_000, lockMs: LOCK_MS });
}

async function claimOf(keys: IdempotencyKeys): Promise<Parameters<IdempotencyKeys['keep']>[0]> {
  const begun = await keys.begin('caller', 'key', REQUEST);
  if (begun.kind !== 'new') throw new Error(`the key is ${begun.kind}`);
  return begun.claim;
}

test('a request that takes longer than the lock keeps its key, and its answer is the answer', async () => {
  const keys = await openKeys();
  const claim = await claimOf(keys);
  await keys.hold(claim, async () => {
    const end = performance.now() + 5 * LOCK_MS;
    while (performance.now() < end) expect(await keys.begin('caller', 'key', REQUEST)).toEqual({ kind: 'busy' });
  });
  await keys.keep(claim, 'done');
  expect(await keys.begin('caller', 'key', REQUEST)).toEqual({ kind: 'answered', answer: 'done' });
});

test('a key that is given up although it was lost is free all the same, and nothing is wrong', async () => {
  const keys = await openKeys();
  const lost = await claimOf(keys);
  await eventually(async () => (await keys.begin('caller', 'key', REQUEST)).kind === 'new');
  await keys.release(lost);
  // It is the other request's now, which it is not taken from.
  expect(await keys.begin('caller', 'key', REQUEST)).toEqual({ kind: 'busy' });
});

test('the key of a process that has ended is free again, and its answer is no longer taken', async () => {
  const keys = await openKeys();
  const lost = await claimOf(keys);
  await eventually(async () => (await keys.begin('caller', 'key', REQUEST)).kind === 'new');
  await expect(keys.keep(lost, 'late')).rejects.toThrow('the lock of the key has expired');
});
