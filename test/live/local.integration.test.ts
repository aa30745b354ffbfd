/** The live server with its own administrator as the authority. */
import { beforeEach, describe, expect, test } from 'vitest';
import { localProvider } from '../../src/auth/local/provider.ts';
import { addDevices, addGroup, setState } from './fixtures.ts';
import { TOKEN, connect, openEvents, openPreparedSite, startLive } from './support.ts';
import type { ViewerWorld } from './viewer-suite.ts';
import { describeViewers } from './viewer-suite.ts';

const [DEVICE, SECOND] = ['356307042441001', '356307042441002'] as const;

describe('AUTH_PROVIDER=local', () => {
  let world: ViewerWorld;
  beforeEach(async () => {
    const site = await openPreparedSite();
    await addDevices(site.pool, DEVICE, SECOND);
    for (const device of [DEVICE, SECOND]) await setState(site.pool, device, { ts: 1_600_000_000_000 });
    const group = await addGroup(site.pool, 'fleet', DEVICE);
    const refused = ['device:unheard-of', 'group:00000000-0000-4000-8000-000000000000'];
    const live = await startLive(site);
    world = { live, token: TOKEN, device: DEVICE, second: SECOND, group, tokenOfAll: TOKEN, refused };
  });

  describeViewers(() => world);

  test('the token may come in the URL', async () => {
    const viewer = await connect(`${world.live.url}?access_token=${TOKEN}`);
    expect(await viewer.subscribe(`device:${DEVICE}`)).toMatchObject({ type: 'subscribed' });
    const events = await openEvents(`${world.live.httpUrl}/live/sse?topics=device:${DEVICE}&access_token=${TOKEN}`);
    expect(await events.next('subscribed')).toMatchObject({ topic: `device:${DEVICE}` });
  });

  test('no cookie is a credential', async () => {
    const viewer = await connect(world.live.url, { headers: { cookie: `directus_session_token=${TOKEN}` } });
    expect(await viewer.subscribe(`device:${DEVICE}`)).toMatchObject({ code: 'not_authenticated' });
  });
});

test('without a token nobody is let in', async () => {
  const live = await startLive(await openPreparedSite(), { provider: () => localProvider(null) });
  for (const token of ['', 'null', 'undefined', TOKEN]) {
    const viewer = await connect(live.url);
    viewer.send({ type: 'auth', access_token: token });
    expect(await viewer.next('error')).toMatchObject({ code: 'auth_failed' });
  }
});
