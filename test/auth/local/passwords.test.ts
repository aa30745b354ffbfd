import { describe, expect, test } from 'vitest';
import { NOBODYS_HASH, PasswordsBusyError, hashPassword, isPassword } from '../../../src/auth/local/passwords.ts';

describe('a password', () => {
  test('is known again by its hash, which is another each time', async () => {
    const [one, two] = await Promise.all([hashPassword('pässword'), hashPassword('pässword')]);
    expect(one).not.toBe(two);
    expect(one).toMatch(/^scrypt\$32768\$8\$1\$/);
    expect(await isPassword('pässword', one)).toBe(true);
    expect(await isPassword('pa\u0308ssword', one)).toBe(true);
    expect(await isPassword('password', one)).toBe(false);
  });

  test.each(['', 'plain text', 'bcrypt$1$2$3$a$b', 'scrypt$32768$8$1$$'])('is none that a hash like %j could have', async (kept) => {
    expect(await isPassword('', kept)).toBe(false);
  });

  test('is none that nobody has', async () => {
    expect(await isPassword('', NOBODYS_HASH)).toBe(false);
  });

  test('is checked a few at a time, and too many are turned away', async () => {
    const results = await Promise.allSettled(Array.from({ length: 60 }, () => isPassword('x', NOBODYS_HASH)));
    const busy = results.filter((one) => one.status === 'rejected');
    expect(busy.length).toBe(60 - 34);
    for (const { reason } of busy) expect(reason).toBeInstanceOf(PasswordsBusyError);
  });
});
