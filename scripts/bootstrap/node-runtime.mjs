/**
 * The Node that runs this project: the one that runs now where it is new enough for `engines` in package.json, else
 * that of the npm package `node`, whose install script fetches it.
 */
import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { runInstallScript } from './packages.mjs';

function isAtLeast(version, least) {
  const [major, minor] = version.split('.').map(Number);
  const [leastMajor, leastMinor] = least.split('.').map(Number);
  return major > leastMajor || (major === leastMajor && minor >= leastMinor);
}

function versionOf(node) {
  const { status, stdout } = spawnSync(node, ['--version'], { encoding: 'utf8' });
  return status === 0 ? stdout.trim().slice(1) : undefined;
}

/** The path of a Node that is new enough; ends the process with 1, saying what to do, where there is none. */
export function ensureNode(root) {
  const least = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')).engines.node.replace('>=', '');
  // The one that runs may be that of the npm package, and an installation may just have removed it.
  if (isAtLeast(process.versions.node, least) && existsSync(process.execPath)) return process.execPath;
  const node = join(root, 'node_modules', 'node', 'bin', 'node');
  if (versionOf(node) === undefined) runInstallScript(root, 'node');
  const version = versionOf(node);
  if (version !== undefined && isAtLeast(version, least)) return node;
  console.error(`Node ${least} or later is needed, this is ${process.versions.node}, and ${node} does not run.`);
  console.error('Install Node 24 (https://nodejs.org), or see why npm cannot fetch it: npm rebuild node --ignore-scripts=false');
  process.exit(1);
}
