import { createServer } from 'node:net';
import type { AddressInfo } from 'node:net';
import type { FailedAttempt } from '../../src/db/pool.ts';
import { describe, expect, it, onTestFinished, vi } from 'vitest';
import { waitForDatabase } from '../../src/db/pool.ts';
import { classify } from '../../src/db/sqlstate.ts';
import { startPrivatePostgres } from '../support/database.ts';
import { eventually } from '../support/eventually.ts';
import { openDatabase, openPool, value } from './fixture.ts';

describe('createPool', () => {
  it('shows role and instance in the name of its connections, cut where PostgreSQL cuts', async () => {
    const { url } = await openDatabase();
    const { pool } = openPool(url, { INSTANCE_ID: `größe-${'x'.repeat(80)}` });
    const name = `odograph/test/gr??e-${'x'.repeat(80)}`.slice(0, 63);
    expect(await value(pool, 'select application_name from pg_stat_activity where pid = pg_backend_pid()')).toBe(name);
  });

  it('gives bigint as number, beyond 2^53−1 as bigint', async () => {
    const { pool } = await openDatabase();
    expect(await value(pool, 'select 9007199254740991::bigint')).toBe(Number.MAX_SAFE_INTEGER);
    expect(await value(pool, 'select (-9223372036854775808)::bigint')).toBe(-9223372036854775808n);
    expect(await value(pool, 'select null::bigint')).toBeNull();
  });

  it('gives times as epoch milliseconds', async () => {
    const { pool } = await openDatabase();
    const times = ['1970-01-01 00:00:00.001+00', '2026-11-20 13:14:15.678901+05:30', '2099-12-31 23:59:59+00'];
    const expected = [1, Date.UTC(2026, 10, 20, 7, 44, 15, 678), Date.UTC(2099, 11, 31, 23, 59, 59)];
    for (const [index, time] of times.entries()) {
      expect(await value(pool, 'select $1::timestamptz', [time])).toBe(expected[index]);
    }
    expect(await value(pool, 'select \'infinity\'::timestamptz')).toBe(Infinity);
  });

  it('leaves the parsers of other pools alone', async () => {
    const { pool, url } = await openDatabase();
    const { default: pg } = await import('pg');
    const other = new pg.Pool({ connectionString: url });
    onTestFinished(() => other.end());
    expect(await value(pool, 'select 1::bigint')).toBe(1);
    expect(await value(other, 'select 1::bigint')).toBe('1');
  });

  it('ends a statement that takes longer than POSTGRES_STATEMENT_TIMEOUT_MS', async () => {
    const { url } = await openDatabase();
    const { pool } = openPool(url, { POSTGRES_STATEMENT_TIMEOUT_MS: 100 });
    await expect(pool.query('select pg_sleep(30)')).rejects.toMatchObject({ code: '57014' });
  });

  it('gives up on a server that is frozen, and works on when it thaws', async () => {
    const server = await startPrivatePostgres();
    onTestFinished(() => server.stop());
    const { pool } = openPool(server.url, { POSTGRES_STATEMENT_TIMEOUT_MS: 100 });
    await pool.query('select 1');
    const backend = Number(await value(pool, 'select pg_backend_pid()'));
    process.kill(backend, 'SIGSTOP');
    const failure: unknown = await pool.query('select 1').catch((error: unknown) => error);
    process.kill(backend, 'SIGCONT');
    expect(classify(failure)).toMatchObject({ action: 'retry', meaning: 'the database does not answer' });
    expect(await value(pool, 'select 1')).toBe(1);
  });

  it('reports connections that are lost, idle and in use, and connects again', async () => {
    const { pool, errors, url } = await openDatabase();
    const { pool: other } = openPool(url);
    const idle = await value(pool, 'select pg_backend_pid()');
    await other.query('select pg_terminate_backend($1)', [idle]);
    await eventually(() => errors.length > 0);

    const client = await pool.connect();
    const inUse = (await client.query<{ pid: number }>('select pg_backend_pid() as pid')).rows[0]?.pid;
    const before = errors.length;
    await other.query('select pg_terminate_backend($1)', [inUse]);
    await eventually(() => errors.length > before);
    await expect(client.query('select 1')).rejects.toSatisfy((error) => classify(error).action === 'retry');
    client.release();
    expect(await value(pool, 'select 1')).toBe(1);
  });
});

/** Waits in the background, so that a test can act on the failures. */
function waitInBackground(url: string): { failures: FailedAttempt[]; abort: AbortController; done: Promise<void> } {
  const failures: FailedAttempt[] = [];
  const abort = new AbortController();
  const onRetry = (failure: FailedAttempt): void => {
    failures.push(failure);
  };
  const done = waitForDatabase(openPool(url).pool, { signal: abort.signal, onRetry, random: () => 0 });
  return { failures, abort, done };
}

describe('waitForDatabase', () => {
  it('resolves at once when the database is there', async () => {
    const { pool } = await openDatabase();
    const onRetry = vi.fn();
    await waitForDatabase(pool, { signal: new AbortController().signal, onRetry });
    expect(onRetry).not.toHaveBeenCalled();
  });

  it('waits for a server that comes up late', async () => {
    const first = await startPrivatePostgres();
    await first.stop();
    const { failures, done } = waitInBackground(first.url);
    await eventually(() => failures.length >= 2);
    const second = await first.again();
    onTestFinished(() => second.stop());
    await done;
    expect(failures[0]).toMatchObject({ attempt: 1, delayMs: 50, obstacle: 'unreachable' });
    expect(failures[1]).toMatchObject({ attempt: 2, delayMs: 100 });
    expect(failures[0]?.line).toMatch(/^unreachable \(nothing listens .*ECONNREFUSED.*\)$/);
  });

  it('reports a refused login as such, without the password, and waits for it to be mended', async () => {
    const { pool, url } = await openDatabase();
    const user = `late_${Math.random().toString(36).slice(2)}`;
    onTestFinished(async () => {
      const admin = openPool(url.replace(/[^/]*$/, 'postgres')).pool;
      await eventually(() => admin.query(`drop role if exists ${user}`));
    });
    const target = new URL(url);
    target.username = user;
    target.password = 'hunter2secret';
    const { failures, done } = waitInBackground(target.href);
    await eventually(() => failures.length >= 1);
    expect(failures[0]).toMatchObject({ obstacle: 'login refused' });
    expect(JSON.stringify(failures)).not.toContain('hunter2secret');
    await pool.query(`create role ${user} login password 'hunter2secret'`);
    await done;
  });

  it('reports a missing database as such, and waits for it to be made', async () => {
    const { pool, url } = await openDatabase();
    const name = `late_${Math.random().toString(36).slice(2)}`;
    const { failures, done } = waitInBackground(url.replace(/[^/]*$/, name));
    await eventually(() => failures.length >= 1);
    expect(failures[0]).toMatchObject({ obstacle: 'no such database' });
    await pool.query(`create database ${name}`);
    onTestFinished(async () => {
      await openPool(url).pool.query(`drop database ${name} with (force)`);
    });
    await done;
  });

  it('ends at once with the reason of the signal, while it pauses and while it connects', async () => {
    const closed = waitInBackground('postgres://nobody@127.0.0.1:1/nothing');
    await eventually(() => closed.failures.length >= 1);
    closed.abort.abort(new Error('stopping'));
    await expect(closed.done).rejects.toThrow('stopping');

    const silent = createServer();
    await new Promise<void>((resolve) => silent.listen(0, '127.0.0.1', resolve));
    onTestFinished(() => {
      silent.close();
    });
    const { port } = silent.address() as AddressInfo;
    const accepted = new Promise<void>((resolve) => {
      silent.once('connection', (socket) => {
        onTestFinished(() => {
          socket.destroy();
        });
        resolve();
      });
    });
    const connecting = waitInBackground(`postgres://nobody@127.0.0.1:${port}/nothing`);
    await accepted;
    connecting.abort.abort(new Error('stopping'));
    await expect(connecting.done).rejects.toThrow('stopping');
    expect(connecting.failures).toEqual([]);
  });

  it('rejects at once when the signal is aborted already', async () => {
    const { pool } = openPool('postgres://nobody@127.0.0.1:1/nothing');
    const options = { signal: AbortSignal.abort(new Error('stopping')), onRetry: vi.fn() };
    await expect(waitForDatabase(pool, options)).rejects.toThrow('stopping');
  });
});
