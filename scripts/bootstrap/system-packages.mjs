/**
 * A `redis-server` on the PATH, for what starts a Redis of its own. Where it is missing and this process may install
 * packages of the system, it does; the service of the package is neither started nor enabled.
 */
import { spawnSync } from 'node:child_process';
import { accessSync, constants, existsSync, rmSync, writeFileSync } from 'node:fs';
import { delimiter, join } from 'node:path';

/** Debian asks this program before it starts a service: 101 forbids. */
const POLICY = '/usr/sbin/policy-rc.d';

function onPath(program) {
  const executable = (folder) => {
    try {
      accessSync(join(folder, program), constants.X_OK);
      return true;
    } catch {
      // Not in this folder, or not ours to run.
      return false;
    }
  };
  return (process.env.PATH ?? '').split(delimiter).some((folder) => folder !== '' && executable(folder));
}

function run(command, args) {
  const env = { ...process.env, DEBIAN_FRONTEND: 'noninteractive' };
  const result = spawnSync(command, args, { env, encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] });
  if (result.status !== 0) console.error(`${command} ${args.join(' ')}:\n${result.stdout ?? ''}${result.stderr ?? ''}`);
  return result.status === 0;
}

function aptInstall() {
  const wait = ['-o', 'DPkg::Lock::Timeout=120'];
  const forbid = !existsSync(POLICY);
  if (forbid) writeFileSync(POLICY, '#!/bin/sh\nexit 101\n', { mode: 0o755 });
  try {
    run('apt-get', ['update', '-qq', ...wait]);
    run('apt-get', ['install', '-y', '-qq', '--no-install-recommends', ...wait, 'redis-server']);
  } finally {
    if (forbid) rmSync(POLICY, { force: true });
  }
  if (existsSync('/run/systemd/system')) run('systemctl', ['disable', '--quiet', 'redis-server']);
}

const root = process.getuid?.() === 0;

const PACKAGE_MANAGERS = [
  { program: 'apt-get', how: 'apt-get install redis-server', usable: root, install: aptInstall },
  { program: 'apk', how: 'apk add redis', usable: root, install: () => run('apk', ['add', '--no-cache', 'redis']) },
  { program: 'dnf', how: 'dnf install redis', usable: root, install: () => run('dnf', ['install', '-y', 'redis']) },
  { program: 'brew', how: 'brew install redis', usable: !root, install: () => run('brew', ['install', 'redis']) },
];

/** Ends the process with 1, saying what to do, where there is no redis-server and none can be installed. */
export function ensureRedis() {
  if (onPath('redis-server')) return;
  const packages = PACKAGE_MANAGERS.find(({ program }) => onPath(program));
  if (packages?.usable) {
    console.error(`installing redis-server (${packages.how}): once, less than a minute`);
    packages.install();
    if (onPath('redis-server')) return;
  }
  console.error(`redis-server is not on the PATH: ${packages?.how ?? 'install Redis 6.2 or later'}, or set REDIS_URL`);
  process.exit(1);
}
