/** `docs/dependencies.md` has a line for each dependency, and for nothing else. */
import { expect, it } from 'vitest';
import { readJson, readText } from './files.ts';

interface PackageJson {
  readonly dependencies: Readonly<Record<string, string>>;
  readonly devDependencies: Readonly<Record<string, string>>;
}

/** Names in the first column of the table under a heading, in the order they stand in. */
function documented(text: string, heading: string): string[] {
  const section = text.split(/^## /m).find((part) => part.startsWith(heading)) ?? '';
  return [...section.matchAll(/^\| `([^`]+)` \| .{12}/gm)].map(([, name]) => name!);
}

it.each([
  ['Runtime', 'dependencies'],
  ['Development', 'devDependencies'],
] as const)('says of each package under %s why it is there', async (heading, key) => {
  const packageJson = await readJson<PackageJson>('package.json');
  expect(documented(await readText('docs/dependencies.md'), heading)).toEqual(Object.keys(packageJson[key]).sort());
});
