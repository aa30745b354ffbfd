/**
 * Who may import whom inside `src`: the one table. `eslint.config.js` makes lint rules of it, `test/lint/zones.test.ts`
 * proves that each rule bites, and a folder of `src` that has no row here fails that test.
 *
 * The rules deny by default: an area may import itself and what its row names, nothing else in `src`. A row is a folder
 * of `src`, or a file directly in it.
 */

const FOUNDATION = ['shared', 'config', 'observability'];

export const AREAS = [
  { area: 'shared', mayImport: [] },
  { area: 'config', mayImport: ['shared'] },
  { area: 'db', mayImport: ['shared', 'config'] },
  { area: 'observability', mayImport: ['shared', 'config'] },
  { area: 'protocols', mayImport: ['shared'] },
  { area: 'ingest', mayImport: [...FOUNDATION, 'protocols', 'http'] },
  { area: 'auth', mayImport: FOUNDATION },
  { area: 'accounts', mayImport: [...FOUNDATION, 'db', 'auth'] },
  { area: 'core', mayImport: [...FOUNDATION, 'db', 'accounts'] },
  { area: 'http', mayImport: [...FOUNDATION, 'auth'] },
  { area: 'live', mayImport: [...FOUNDATION, 'db', 'auth'] },
  { area: 'query', mayImport: [...FOUNDATION, 'db', 'http'] },
  { area: 'simulator', mayImport: [...FOUNDATION, 'db', 'protocols'] },
  { area: 'dead-letters', mayImport: [...FOUNDATION, 'protocols', 'ingest'] },
  { area: 'embedded', mayImport: ['shared', 'config'] },
  { area: 'demo', mayImport: ['shared', 'config', 'embedded'] },
  { area: 'composition', mayImport: [...FOUNDATION, 'db', 'ingest', 'core', 'auth', 'live', 'http', 'query', 'embedded'] },
  { area: 'main.ts', mayImport: [...FOUNDATION, 'composition', 'ingest'] },
];

/** Folders beside `src` that no file of `src` imports. */
const OUTSIDE = ['test', 'bench', 'scripts', 'eslint'];

/** The table as zones of `import/no-restricted-paths`, whose `basePath` is the root of the repository. */
export function restrictedZones(areas = AREAS) {
  const inside = areas.map(({ area, mayImport }) => ({
    target: `./src/${area}`,
    from: './src',
    except: [area, ...mayImport].map((name) => `./${name}`),
    message: `src/${area} may import ${mayImport.map((name) => `src/${name}`).join(', ') || 'nothing else of src'}: see eslint/zones.js.`,
  }));
  const outside = OUTSIDE.map((folder) => ({
    target: './src',
    from: `./${folder}`,
    message: 'src is all that the image has: move what it needs into src.',
  }));
  return [...inside, ...outside];
}
