/**
 * Programs of the system that npm does not bring: `redis-server` for what starts a Redis of its own, and Chromium for
 * the tests of pages. Where one is missing and this process may install packages of the system, it does; the service of
 * a package is neither started nor enabled.
 */
import { spawnSync } from 'node:child_process';
import { accessSync, constants, existsSync, rmSync, writeFileSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { CHROMIUM_PROGRAMS } from './chromium.mjs';

/** Debian asks this program before it starts a service: 101 forbids. */
const POLICY = '/usr/sbin/policy-rc.d';

function executable(file) {
  try {
    accessSync(file, constants.X_OK);
    return true;
  } catch {
    // Not there, or not ours to run.
    return false;
  }
}

function onPath(program) {
  return (process.env.PATH ?? '').split(delimiter).some((folder) => folder !== '' && executable(join(folder, program)));
}

function run(command, args) {
  const env = { ...process.env, DEBIAN_FRONTEND: 'noninteractive' };
  const result = spawnSync(command, args, { env, encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] });
  if (result.status !== 0) console.error(`${command} ${args.join(' ')}:\n${result.stdout ?? ''}${result.stderr ?? ''}`);
  return result.status === 0;
}

function aptInstall(name) {
  const wait = ['-o', 'DPkg::Lock::Timeout=120'];
  const forbid = !existsSync(POLICY);
  if (forbid) writeFileSync(POLICY, '#!/bin/sh\nexit 101\n', { mode: 0o755 });
  try {
    run('apt-get', ['update', '-qq', ...wait]);
    run('apt-get', ['install', '-y', '-qq', '--no-install-recommends', ...wait, name]);
  } finally {
    if (forbid) rmSync(POLICY, { force: true });
  }
}

const root = process.getuid?.() === 0;

/** How each package manager calls and installs a package. */
const PACKAGE_MANAGERS = [
  { program: 'apt-get', usable: root, install: aptInstall, names: { redis: 'redis-server', chromium: 'chromium' } },
  { program: 'apk', usable: root, install: (name) => run('apk', ['add', '--no-cache', name]), names: { redis: 'redis', chromium: 'chromium' } },
  { program: 'dnf', usable: root, install: (name) => run('dnf', ['install', '-y', name]), names: { redis: 'redis', chromium: 'chromium' } },
  { program: 'brew', usable: !root, install: (name) => run('brew', ['install', name]), names: { redis: 'redis', chromium: 'chromium' } },
];

/** @returns whether it is there, installed where that can be done; and how a person would install it. */
function ensure(what, isThere, howLong) {
  if (isThere()) return { there: true, how: '' };
  const manager = PACKAGE_MANAGERS.find(({ program }) => onPath(program));
  if (manager === undefined) return { there: false, how: undefined };
  const name = manager.names[what];
  const how = `${manager.program} ${manager.program === 'apk' ? 'add' : 'install'} ${name}`;
  if (manager.usable) {
    console.error(`installing ${name} (${how}): once, ${howLong}`);
    manager.install(name);
  }
  return { there: isThere(), how };
}

/** Ends the process with 1, saying what to do, where there is no redis-server and none can be installed. */
export function ensureRedis() {
  const wasThere = onPath('redis-server');
  const { there, how } = ensure('redis', () => onPath('redis-server'), 'less than a minute');
  if (!wasThere && there && existsSync('/run/systemd/system')) run('systemctl', ['disable', '--quiet', 'redis-server']);
  if (there) return;
  console.error(`redis-server is not on the PATH: ${how ?? 'install Redis 6.2 or later'}, or set REDIS_URL`);
  process.exit(1);
}

/** Says what to do where there is no Chromium and none can be installed: the tests that need one are then left out. */
export function ensureChromium() {
  const { there, how } = ensure('chromium', () => CHROMIUM_PROGRAMS.some(executable), 'one to two minutes');
  if (!there) console.error(`there is no Chromium, so pages are not tested: ${how ?? 'install Chromium or Google Chrome'}`);
}
