/**
 * Has Portainer run the image tag ODOGRAPH_TAG, then waits until the process behind ODOGRAPH_METRICS_URL is a new one
 * and ready. Takes the settings of `.gitea/workflows/image.yml` from the environment; exits with 1 and one line where
 * something fails, and prints neither the webhook nor the key, which are secrets.
 *
 * Business Edition: POST to the stack's webhook, which takes variables of the stack as query parameters. Community
 * Edition has no stack webhooks: the stack's variables are read, one is replaced, and the stack is redeployed from git;
 * a redeployment forgets every variable that is not sent along.
 */
const WAIT_MS = 5 * 60_000;
const POLL_MS = 2_000;

const {
  ODOGRAPH_TAG: tag,
  ODOGRAPH_METRICS_URL: metricsUrl,
  PORTAINER_WEBHOOK: webhook,
  PORTAINER_URL: portainer,
  PORTAINER_STACK_ID: stackId,
  PORTAINER_API_KEY: key,
} = process.env;

async function request(what, url, options) {
  const response = await fetch(url, { ...options, signal: AbortSignal.timeout(WAIT_MS) });
  if (!response.ok) throw new Error(`${what}: Portainer answered ${response.status} ${(await response.text()).slice(0, 300)}`);
  return response;
}

async function byWebhook() {
  const url = new URL(webhook);
  url.searchParams.set('ODOGRAPH_TAG', tag);
  await request('webhook', url, { method: 'POST' });
}

async function byApi() {
  const base = `${portainer.replace(/\/$/, '')}/api/stacks/${stackId}`;
  const headers = { 'X-API-Key': key, 'Content-Type': 'application/json' };
  const stack = await (await request('reading the stack', base, { headers })).json();
  const others = (stack.Env ?? []).filter(({ name }) => name !== 'ODOGRAPH_TAG');
  const body = JSON.stringify({
    Env: [...others, { name: 'ODOGRAPH_TAG', value: tag }],
    RepositoryReferenceName: stack.GitConfig?.ReferenceName,
    RepositoryAuthentication: Boolean(stack.GitConfig?.Authentication),
    RepositoryUsername: stack.GitConfig?.Authentication?.Username,
    Prune: false,
    // The name since Portainer 2.36 and the one before.
    RepullImageAndRedeploy: true,
    PullImage: true,
  });
  await request('redeploying the stack', `${base}/git/redeploy?endpointId=${stack.EndpointId}`, { method: 'PUT', headers, body });
}

/** Since when the process has run, epoch seconds; undefined where it does not answer or is not ready. */
async function readySince(base) {
  try {
    const ready = await fetch(`${base}/readyz`, { signal: AbortSignal.timeout(5_000) });
    const metrics = await (await fetch(`${base}/metrics`, { signal: AbortSignal.timeout(5_000) })).text();
    const started = /^process_start_time_seconds (\S+)/m.exec(metrics)?.[1];
    return ready.ok && started !== undefined ? Number(started) : undefined;
  } catch (error) {
    console.log(`not there: ${error.message}`);
    return undefined;
  }
}

/** Portainer may answer before it has done anything: what counts is that another process than before is ready. */
async function newProcess(base, before) {
  const deadline = Date.now() + WAIT_MS;
  while (Date.now() < deadline) {
    const since = await readySince(base);
    if (since !== undefined && since !== before) return;
    await new Promise((resolve) => {
      setTimeout(resolve, POLL_MS);
    });
  }
  throw new Error(`no new process was ready at ${base} within ${WAIT_MS / 1000} s`);
}

async function main() {
  if (!tag) throw new Error('ODOGRAPH_TAG is not set');
  if (!webhook && !(portainer && stackId && key)) {
    console.log('Portainer is not set up: nothing is deployed');
    return;
  }
  const base = metricsUrl?.replace(/\/$/, '');
  const before = base ? await readySince(base) : undefined;
  await (webhook ? byWebhook() : byApi());
  console.log(`Portainer deploys ${tag}`);
  if (!base) return;
  await newProcess(base, before);
  console.log('the new process is ready');
}

try {
  await main();
} catch (error) {
  console.error(error.message);
  process.exitCode = 1;
}
