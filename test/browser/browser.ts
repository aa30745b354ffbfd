/** A real Chromium, and pages on a web server of a test's own. Whatever a test opens ends with it. */
import { existsSync } from 'node:fs';
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Browser, Page } from 'playwright-core';
import { chromium } from 'playwright-core';
import { onTestFinished } from 'vitest';
import { CHROMIUM_PROGRAMS } from '../../scripts/bootstrap/chromium.mjs';

/** undefined: there is none on this machine, and pages are not tested. */
export const CHROMIUM = CHROMIUM_PROGRAMS.find((program) => existsSync(program));

const ARGUMENTS = [
  '--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run', '--disable-background-networking',
  '--disable-component-update', '--disable-sync',
];

export async function openBrowser(): Promise<Browser> {
  if (CHROMIUM === undefined) throw new Error('there is no Chromium on this machine');
  return chromium.launch({ executablePath: CHROMIUM, args: ARGUMENTS });
}

export interface Site {
  /** As a browser names it in `Origin`. */
  readonly origin: string;
}

/** A web server whose every page is `html`. */
export async function servePage(html: string): Promise<Site> {
  const server = createServer((_request, response) => {
    response.writeHead(200, { 'content-type': 'text/html; charset=utf-8' }).end(html);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  return { origin: `http://127.0.0.1:${(server.address() as AddressInfo).port}` };
}

/** A page in a profile of its own; an error that nobody catches in it fails the test. */
export async function openPage(browser: Browser, url: string): Promise<Page> {
  const page = await browser.newPage();
  const errors: Error[] = [];
  page.on('pageerror', (error) => { errors.push(error); });
  onTestFinished(async () => {
    await page.close();
    if (errors[0] !== undefined) throw errors[0];
  });
  await page.goto(url);
  return page;
}
