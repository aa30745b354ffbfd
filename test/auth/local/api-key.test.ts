import { expect, test } from 'vitest';
import { apiKeyId, createApiKey, digest } from '../../../src/auth/local/api-key.ts';

test('a key has an id that may be shown, a secret of 256 bits, and a hash to keep', () => {
  const { id, key, secretHash } = createApiKey();
  expect(key).toMatch(/^odo_[a-z0-9]{12}_[\w-]{43}$/);
  expect(apiKeyId(key)).toBe(id);
  expect(Buffer.from(key.slice(17), 'base64url')).toHaveLength(32);
  expect(secretHash.equals(digest(key))).toBe(true);
  expect(new Set(Array.from({ length: 100 }, () => createApiKey().id)).size).toBe(100);
});

test.each(['', 'odo_', 'token-of-the-administrator', `odo_short_${'A'.repeat(43)}`, `odo_aaaaaaaaaaaa_${'A'.repeat(42)}`, `odo_aaaaaaaaaaaa_${'A'.repeat(43)}\n`])('%j is no key', (text) => {
  expect(apiKeyId(text)).toBeUndefined();
});
