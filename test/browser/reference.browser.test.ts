/** The reference page of the HTTP API, in a real browser, under its content security policy. */
import type { Browser } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest';
import { startApi } from '../http/support.ts';
import { createRedis } from '../support/redis.ts';
import { CHROMIUM, openBrowser } from './browser.ts';

describe.skipIf(CHROMIUM === undefined)('in Chromium', () => {
  let browser: Browser;
  beforeAll(async () => { browser = await openBrowser(); });
  afterAll(() => browser.close());

  test('the reference page shows and tries operations, without an error and without asking another host', async () => {
    const { url: redisUrl } = await createRedis();
    const { url } = await startApi({ redisUrl, postgresUrl: 'postgres://nowhere' });
    const page = await browser.newPage();
    onTestFinished(() => page.close());
    const complaints: string[] = [];
    const elsewhere: string[] = [];
    page.on('pageerror', (error) => { complaints.push(String(error)); });
    page.on('console', (message) => { if (['error', 'warning'].includes(message.type())) complaints.push(message.text()); });
    page.on('request', (request) => {
      const asked = request.url();
      if (!asked.startsWith(`${url}/`) && !asked.startsWith('data:')) elsewhere.push(asked);
    });
    await page.goto(`${url}/v1/docs`);
    await page.locator('.opblock-summary-path', { hasText: '/v1/auth/session' }).first().waitFor();
    expect(await page.title()).toContain('Odograph');
    // Signing out is for everybody, so that it can be tried without a credential.
    const operation = page.locator('.opblock-delete').first();
    await operation.locator('.opblock-summary').click();
    const answered = page.waitForResponse((response) => response.request().method() === 'DELETE');
    await operation.locator('button.execute').click();
    expect((await answered).status()).toBe(204);
    await operation.locator('.live-responses-table .response-col_status', { hasText: '204' }).first().waitFor();
    expect(complaints).toEqual([]);
    expect(elsewhere).toEqual([]);
  });
});
