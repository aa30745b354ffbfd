/** Documents written by hand name only files, headings and settings that exist. */
import { globSync } from 'node:fs';
import { access } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { SETTINGS } from '../../src/config/settings.ts';
import { readText, REPOSITORY } from './files.ts';

const DOCUMENTS = globSync(['*.md', 'docs/**/*.md'], { cwd: REPOSITORY });

const FOLDERS = ['src', 'test', 'docs', 'deploy', 'eslint', 'migrations', 'scripts', 'bench', '.gitea'];
const PATH = new RegExp(`\`((?:${FOLDERS.join('|')})/[\\w./-]+)\``.replaceAll('.gitea', '\\.gitea'), 'g');
const LINK = /\]\((?!https?:)([^)#\s]*)(?:#([^)\s]+))?\)/g;
const SETTING = /`((?:INGEST|PROCESSOR|POSITIONS|STREAM|SHUTDOWN|DEAD_LETTER|DEVICE_STATE|DEVICE_LIST|MAX|LIVE|DIRECTUS)_[A-Z0-9_]+)`/g;
/** Variables of the stack that only Compose sees. */
const STACK_VARIABLES = ['LIVE_BIND', 'LIVE_PORT'];

/** `file`: *title*; *title*, as in the list of promises. */
const QUOTED_TESTS = /^- `(test\/[\w./-]+)`: (\*[^`]*\*)$/gm;

const exists = (path: string): Promise<boolean> => access(join(REPOSITORY, path)).then(() => true, () => false);

/** As Gitea and GitHub make them of headings. */
function anchorsOf(markdown: string): Set<string> {
  const headings = [...markdown.matchAll(/^#+ (.+)$/gm)].map(([, heading]) => heading!);
  return new Set(headings.map((heading) => heading.toLowerCase().replace(/[^\p{L}\p{N} _-]/gu, '').replaceAll(' ', '-')));
}

describe.each(DOCUMENTS)('%s', (document) => {
  it('names files and folders that exist', async () => {
    const paths = [...(await readText(document)).matchAll(PATH)].map(([, path]) => path!);
    const missing = await Promise.all(paths.map(async (path) => ((await exists(path)) ? [] : [path])));
    expect(missing.flat()).toEqual([]);
  });

  it('quotes titles of tests that exist', async () => {
    const missing: string[] = [];
    for (const [, path, titles] of (await readText(document)).matchAll(QUOTED_TESTS)) {
      const source = await readText(path!);
      for (const [, title] of titles!.matchAll(/\*([^*]+)\*/g)) {
        if (!source.includes(title!.replace(/\s+/g, ' '))) missing.push(`${path}: ${title}`);
      }
    }
    expect(missing).toEqual([]);
  });

  it('links to files and headings that exist', async () => {
    const broken: string[] = [];
    for (const [link, file = '', anchor] of (await readText(document)).matchAll(LINK)) {
      const target = file === '' ? document : join(dirname(document), file);
      const found = await exists(target);
      if (!found || (anchor !== undefined && !anchorsOf(await readText(target)).has(anchor))) broken.push(link);
    }
    expect(broken).toEqual([]);
  });

  it('names settings that exist', async () => {
    const names = [...(await readText(document)).matchAll(SETTING)].map(([, name]) => name!);
    expect(names.filter((name) => !(name in SETTINGS) && !STACK_VARIABLES.includes(name))).toEqual([]);
  });
});
