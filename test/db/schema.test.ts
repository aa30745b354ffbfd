import { describe, expect, it } from 'vitest';
import { requireSuitable } from '../../src/db/schema.ts';
import { SchemaError } from '../../src/db/schema-error.ts';

describe('requireSuitable', () => {
  it('takes PostgreSQL 15 and later in UTF8', () => {
    for (const number of [150_000, 180_004]) requireSuitable({ number, version: '', encoding: 'UTF8' });
  });

  it('refuses an older one, and says which it is', () => {
    const server = { number: 140_013, version: '14.13', encoding: 'UTF8' };
    expect(() => requireSuitable(server)).toThrow(SchemaError);
    expect(() => requireSuitable(server)).toThrow('PostgreSQL 15 or later is needed, this server is 14.13');
  });

  it('refuses another encoding', () => {
    expect(() => requireSuitable({ number: 150_000, version: '15.0', encoding: 'SQL_ASCII' })).toThrow('not SQL_ASCII');
  });
});
