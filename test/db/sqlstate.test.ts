import { readdirSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import pg from 'pg';
import { describe, expect, it } from 'vitest';
import { backoffMs, classify, DRIVER_ERRORS, errorCode, POLICIES } from '../../src/db/sqlstate.ts';

function withCode(code: string): Error {
  return Object.assign(new Error('as the server says it'), { code });
}

function actionsOf(codes: readonly string[]): string[] {
  return [...new Set(codes.map((code) => classify(withCode(code)).action))];
}

describe('classify', () => {
  it('retries what is wrong with the database', () => {
    const codes = ['08000', '08006', '57P01', '57P02', '57P03', '57P05', '53100', '53300', '53400'];
    expect(actionsOf([...codes, '40001', '40P01', '55P03', '55006', '25006', '25P02', '58030', '26000'])).toEqual(['retry']);
  });

  it('retries what is wrong with the network', () => {
    const codes = ['ECONNREFUSED', 'ECONNRESET', 'EPIPE', 'ETIMEDOUT', 'ENOTFOUND', 'EAI_AGAIN', 'EHOSTUNREACH', 'ENOENT'];
    expect(actionsOf(codes)).toEqual(['retry']);
  });

  it('retries slowly what an operator must mend', () => {
    const codes = ['42P01', '42703', '42501', '28P01', '28000', '3D000', '0A000', 'SELF_SIGNED_CERT_IN_CHAIN', 'CERT_HAS_EXPIRED'];
    for (const code of [...codes, 'ERR_TLS_CERT_ALTNAME_INVALID', 'DEPTH_ZERO_SELF_SIGNED_CERT']) {
      expect(classify(withCode(code)), code).toMatchObject({ action: 'retry', minDelayMs: 1_000, maxDelayMs: 30_000 });
    }
  });

  it('knows a row that is there already', () => {
    expect(actionsOf(['23505'])).toEqual(['conflict']);
  });

  it('blames the value where the value is to blame', () => {
    expect(actionsOf(['22003', '22008', '22021', '22P05', '23502', '23514', '54000', '54023'])).toEqual(['data']);
  });

  it('takes less at a time where the database has no room, or not the time, for all of it', () => {
    expect(actionsOf(['53200', '57014'])).toEqual(['shrink']);
  });

  it('suspects everything else', () => {
    expect(actionsOf(['XX000', 'XX001', '23503', '21000', 'P0001', 'TS500', 'ERR_INVALID_ARG_TYPE'])).toEqual(['suspect']);
    for (const thrown of [new TypeError('x is not a function'), 'a text', undefined, null, { code: 7 }]) {
      expect(classify(thrown).action).toBe('suspect');
    }
  });

  it('takes the whole code before its class, and no errno for a class', () => {
    expect(classify(withCode('23505')).action).toBe('conflict');
    expect(classify(withCode('57014')).meaning).toContain('POSTGRES_STATEMENT_TIMEOUT_MS');
    expect(classify(withCode('EPIPE')).meaning).toBe('the connection to the database was lost');
  });

  it('reads the code of what pg and Node throw', () => {
    const error = new pg.DatabaseError('duplicate key', 13, 'error');
    error.code = '23505';
    expect(classify(error).action).toBe('conflict');
    const manyAddresses = Object.assign(new AggregateError([withCode('ECONNREFUSED')]), { code: 'ECONNREFUSED' });
    expect(classify(manyAddresses).meaning).toBe(POLICIES['ECONNREFUSED']?.meaning);
    expect(errorCode(new Error('none'))).toBeUndefined();
  });

  it('retries every error that the driver throws without a code', () => {
    for (const [message, policy] of DRIVER_ERRORS) {
      expect(classify(new Error(message))).toBe(policy);
      expect(policy.action).toBe('retry');
    }
  });

  it('has the texts of the driver that is installed', () => {
    const require = createRequire(import.meta.url);
    const library = dirname(require.resolve('pg'));
    const files = readdirSync(library).filter((name) => name.endsWith('.js')).map((name) => join(library, name));
    const pool = createRequire(require.resolve('pg')).resolve('pg-pool');
    const source = [...files, pool].map((file) => readFileSync(file, 'utf8')).join('\n');
    for (const message of DRIVER_ERRORS.keys()) expect(source).toContain(`Error('${message}'`);
  });
});

describe('POLICIES', () => {
  it('has delays where there is a next attempt, and none where there is not', () => {
    for (const [code, policy] of Object.entries(POLICIES)) {
      const again = policy.action === 'retry' || policy.action === 'shrink' || policy.action === 'suspect';
      expect(policy.minDelayMs > 0, code).toBe(again);
      expect(policy.maxDelayMs >= policy.minDelayMs, code).toBe(true);
      expect(policy.meaning, code).toMatch(/^\S.*[^.]$/);
    }
  });
});

describe('backoffMs', () => {
  const policy = { minDelayMs: 100, maxDelayMs: 5_000 };
  const longest = (attempt: number): number => backoffMs(policy, attempt, () => 1);
  const shortest = (attempt: number): number => backoffMs(policy, attempt, () => 0);

  it('doubles from the least to the greatest pause', () => {
    expect([1, 2, 3, 4, 5, 6, 7, 8].map(longest)).toEqual([100, 200, 400, 800, 1_600, 3_200, 5_000, 5_000]);
  });

  it('is random by half', () => {
    expect([1, 2, 7].map(shortest)).toEqual([50, 100, 2_500]);
    expect(backoffMs(policy, 1, () => 0.5)).toBe(75);
  });

  it('stays within bounds for any attempt', () => {
    expect(longest(10_000)).toBe(5_000);
    expect(longest(0)).toBe(100);
  });
});
