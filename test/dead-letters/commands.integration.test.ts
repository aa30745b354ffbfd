/** The commands as processes over a real Redis: what they print, what they delete, and how they end. */
import { mkdtemp } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, inject, it } from 'vitest';
import type { Command } from '../../src/dead-letters/command-line.ts';
import { readCommandLine } from '../../src/dead-letters/command-line.ts';
import { pagesOf } from '../../src/dead-letters/letters.ts';
import { Progress } from '../../src/dead-letters/progress.ts';
import { purge } from '../../src/dead-letters/purge.ts';
import type { PurgeReport } from '../../src/dead-letters/report.ts';
import { emptyPurgeReport } from '../../src/dead-letters/report.ts';
import { DEAD_LETTER_STREAM } from '../../src/shared/contracts/dead-letter-stream.ts';
import type { Redis } from '../../src/shared/redis.ts';
import { writeRuntime } from '../../src/shared/runtime-file.ts';
import { openRedis } from '../core/support.ts';
import { createRedis } from '../support/redis.ts';
import { dlq, dlqReport, IMEI, letter, letterIds, writeLetters } from './support.ts';

interface Place {
  readonly url: string;
  readonly redis: Redis;
}

async function emptyRedis(): Promise<Place> {
  const { url } = await createRedis();
  return { url, redis: await openRedis(url) };
}

/** What the command line asks for, with the clock of now. */
function commandOf(name: string, args: readonly string[]): Command {
  const command = readCommandLine(['node', 'dlq', name, ...args], Date.now());
  if (typeof command === 'number') expect.fail(`exit code ${command}`);
  return command;
}

const IDS = ['1000-0', '2000-0', '3000-0', '4000-0'];

/** Four letters, a second apart from 1970 on. */
async function fourLetters(): Promise<Place> {
  const place = await emptyRedis();
  await writeLetters(place.redis, [
    letter({ raw: Buffer.from('c0ffee', 'hex'), session: '{"deviceId":"a"}' }),
    letter({ reason: 'truncated', deviceId: 'b' }),
    letter({ protocol: 'gt06', deviceId: null }),
    letter({ reason: 'clock_ahead', payload: '[1]', origin: 'telemetry:{0}/1-1' }),
  ], IDS);
  return place;
}

describe('list', () => {
  it('prints a line a letter, the oldest first', async () => {
    const { url, redis } = await fourLetters();
    await redis.xadd(DEAD_LETTER_STREAM, '5000-0', 'version', '7');
    const { code, stdout, stderr } = await dlq(url, ['list']);
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    const lines = stdout.trimEnd().split('\n');
    expect(lines.map((line) => line.split('  ')[0])).toEqual([...IDS, '5000-0']);
    expect(lines[4]).toMatch(/unreadable: version/);
  });

  it.each([
    [['--reason', 'truncated,clock_ahead'], ['2000-0', '4000-0']],
    [['--device', 'b'], ['2000-0']],
    [['--protocol', 'gt06'], ['3000-0']],
    [['--since', '1970-01-01T00:00:02Z', '--until', '1970-01-01T00:00:03Z'], ['2000-0', '3000-0']],
    [['--until', '1000d'], IDS],
    [['--since', '1h'], []],
    [['--limit', '2'], ['1000-0', '2000-0']],
    [['4000-0', '1000-0'], ['4000-0', '1000-0']],
    [['4000-0', '2000-0', '--reason', 'truncated'], ['2000-0']],
  ])('%j are those letters', async (args, ids) => {
    const { redis } = await fourLetters();
    const found: string[] = [];
    for await (const { letters } of pagesOf(redis, commandOf('list', args).selection)) found.push(...letters.map(({ id }) => id));
    expect(found).toEqual(ids);
  });

  it('reads as many as there are, page by page', async () => {
    const { url, redis } = await emptyRedis();
    await writeLetters(redis, Array.from({ length: 450 }, () => letter({ raw: Buffer.alloc(2_000) })));
    const { stdout } = await dlq(url, ['list', '--json']);
    const printed = stdout.trimEnd().split('\n').map((line) => (JSON.parse(line) as { id: string }).id);
    expect(printed).toEqual(await letterIds(redis));
  });

  it('of no letters prints nothing', async () => {
    const { url } = await emptyRedis();
    expect(await dlq(url, ['list'])).toEqual({ code: 0, stdout: '', stderr: '' });
  });
});

describe('show', () => {
  it('prints all that is in a letter, and says which is not there', async () => {
    const { url } = await fourLetters();
    const { code, stdout, stderr } = await dlq(url, ['show', '1000-0', '9-9']);
    expect({ code, stderr }).toEqual({ code: 1, stderr: 'no such letter: 9-9\n' });
    expect(stdout).toContain('raw         c0ffee\n');
  });

  it('prints JSON', async () => {
    const { url } = await fourLetters();
    const { stdout } = await dlq(url, ['show', '4000-0', '--json']);
    expect(JSON.parse(stdout)).toMatchObject({ id: '4000-0', payload: '[1]', raw: null, origin: 'telemetry:{0}/1-1' });
  });
});

describe('purge', () => {
  it.each([
    [['--reason', 'bad_field'], ['2000-0', '4000-0'], { bad_field: 2 }],
    [['--device', 'b'], ['1000-0', '3000-0', '4000-0'], { truncated: 1 }],
    [['--until', '1970-01-01T00:00:02Z'], ['3000-0', '4000-0'], { bad_field: 1, truncated: 1 }],
    [['2000-0', '3000-0'], ['1000-0', '4000-0'], { truncated: 1, bad_field: 1 }],
    [['--all', '--limit', '3'], ['4000-0'], { bad_field: 2, truncated: 1 }],
    [['--all'], [], { bad_field: 2, truncated: 1, clock_ahead: 1 }],
  ])('%j deletes these and no others', async (args, kept, byReason) => {
    const { redis } = await fourLetters();
    const run = async (...flags: readonly string[]): Promise<PurgeReport> => {
      const report = emptyPurgeReport();
      const progress = new Progress({ write: () => undefined }, () => 0);
      const interrupted = new AbortController().signal;
      await purge(commandOf('purge', [...args, ...flags]), { redis, progress, interrupted }, report);
      return report;
    };
    const expected = { purged: IDS.length - kept.length, byReason, missing: [] };
    expect(await run('--dry-run')).toMatchObject(expected);
    expect(await letterIds(redis)).toEqual(IDS);
    expect(await run()).toMatchObject(expected);
    expect(await letterIds(redis)).toEqual(kept);
  });

  it('says what it has deleted, or would', async () => {
    const { url, redis } = await fourLetters();
    const args = ['purge', '--reason', 'bad_field'];
    const dry = await dlq(url, [...args, '--dry-run']);
    expect(dry).toEqual({ code: 0, stdout: '2 letters would be purged: bad_field 2\n', stderr: '' });
    expect(await letterIds(redis)).toEqual(IDS);
    expect(await dlqReport(url, [...args, '--device', IMEI])).toEqual({
      code: 0, dryRun: false, read: 4, missing: [], purged: 1, byReason: { bad_field: 1 },
    });
    expect(await letterIds(redis)).toEqual(IDS.slice(1));
  });

  it('without ids, filters or --all deletes nothing', async () => {
    const { url, redis } = await fourLetters();
    expect(await dlq(url, ['purge'])).toMatchObject({ code: 2, stderr: 'purge: expected ids, a filter, or --all for every letter\n' });
    expect(await letterIds(redis)).toEqual(IDS);
  });

  it('deletes letters that cannot be read with --all', async () => {
    const { url, redis } = await emptyRedis();
    await redis.xadd(DEAD_LETTER_STREAM, '*', 'version', '7');
    expect(await dlqReport(url, ['purge', '--all'])).toMatchObject({ purged: 1, byReason: { unreadable: 1 } });
    expect(await letterIds(redis)).toEqual([]);
  });
});

describe('Redis', () => {
  it('is that of the Odograph that runs here, where REDIS_URL is not set', async () => {
    const { url } = await fourLetters();
    const dataDir = await mkdtemp(join(inject('servers').folder, 'dead-letters-'));
    const runtime = { pid: process.pid, redisUrl: url, postgresUrl: '', metricsUrl: '', liveUrl: null, apiUrl: null, listeners: [] };
    await writeRuntime(dataDir, runtime);
    const { code, stdout } = await dlq('', ['list', '--limit', '1'], { ODOGRAPH_DATA_DIR: dataDir });
    expect({ code, first: stdout.split('  ')[0] }).toEqual({ code: 0, first: '1000-0' });
  });

  it('that nobody names, or a setting that is wrong, ends it with 2', async () => {
    const nowhere = await dlq('', ['list'], { ODOGRAPH_DATA_DIR: '/nowhere' });
    expect(nowhere).toMatchObject({ code: 2, stdout: '', stderr: expect.stringMatching(/^REDIS_URL: expected/) as string });
    const wrong = await dlq('', ['list'], { STREAM_PARTITIONS: 'x' });
    expect(wrong).toMatchObject({ code: 2, stderr: expect.stringContaining('STREAM_PARTITIONS: expected') as string });
  });

  it('that does not answer ends it with 3', async () => {
    const { code, stdout, stderr } = await dlq('redis://127.0.0.1:1', ['list']);
    expect({ code, stdout }).toEqual({ code: 3, stdout: '' });
    expect(stderr).toMatch(/^cannot reach Redis: .*ECONNREFUSED/);
  });
});
