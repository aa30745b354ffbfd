/** What the demo hands to Odograph. */
import { createServer } from 'node:net';
import type { AddressInfo } from 'node:net';
import { once } from 'node:events';
import { expect, onTestFinished, test } from 'vitest';
import { SETTINGS } from '../../src/config/settings.ts';
import { demoEnvironment } from '../../src/demo/environment.ts';
import { parseOptions } from '../../src/demo/options.ts';
import { freePort } from '../../src/embedded/port.ts';

test('takes a free port where the default one is taken', async () => {
  const port = Number(SETTINGS.METRICS_PORT.default);
  if ((await freePort(port, '0.0.0.0')) !== undefined) {
    const holder = createServer().listen(port, '0.0.0.0');
    await once(holder, 'listening');
    onTestFinished(() => void holder.close());
  }
  expect((await demoEnvironment({})).METRICS_PORT).toBe('0');
});

test('leaves what the user set', async () => {
  const holder = createServer().listen(0, '127.0.0.1');
  await once(holder, 'listening');
  onTestFinished(() => void holder.close());
  const taken = String((holder.address() as AddressInfo).port);
  const own = { METRICS_PORT: taken, LIVE_WS_PORT: taken, API_PORT: taken, INGEST_LISTENERS: `teltonika:${taken}`, LOG_LEVEL: 'debug', OTHER: 'x' };
  expect(await demoEnvironment(own)).toEqual(own);
});

test('has servers of its own and every role, whatever the shell is set up for', async () => {
  const own = { REDIS_URL: 'redis://production', POSTGRES_URL: 'postgres://production', ROLES: 'ingest', LOG_LEVEL: '' };
  const environment = await demoEnvironment(own);
  expect(Object.keys(environment).toSorted()).toEqual(['API_PORT', 'INGEST_LISTENERS', 'LIVE_WS_PORT', 'LOG_LEVEL', 'METRICS_PORT']);
  expect(environment.LOG_LEVEL).toBe('info');
});

test('a smoke run is short and small unless told otherwise', () => {
  expect(parseOptions(['--smoke', '--started-at', '5'])).toEqual({ devices: 20, duration: '20s', smoke: true, faults: false, startedAt: 5 });
  expect(parseOptions(['--smoke', '--devices', '7', '--duration', '3s', '--faults'])).toMatchObject({ devices: 7, duration: '3s', faults: true });
  expect(parseOptions([])).toMatchObject({ devices: 50, duration: undefined, smoke: false });
});
