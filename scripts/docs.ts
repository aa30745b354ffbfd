/**
 * Writes the documents that have their source in a table of the code: `npm run docs`. With `--check` it writes nothing
 * and exits with 1 when one is not current.
 */
import { readFile, writeFile } from 'node:fs/promises';
import { configDocument, envExample } from '../src/config/documents.ts';
import { problemsDocument } from '../src/http/problems-document.ts';
import { asyncApiDocument, protocolTables } from '../src/live/messages/protocol-document.ts';
import { errorsDocument } from '../src/shared/errors-document.ts';
import { metricsDocument } from '../src/observability/metrics/document.ts';
import { ioElementsDocument } from '../src/protocols/teltonika/io-elements-document.ts';
import { reliabilityDocument } from '../test/faults/document.ts';
import { openApiDocument } from './openapi.ts';
import { withSections } from './generated-sections.ts';

/** Given what the file says now. */
const documents: Readonly<Record<string, (current: string) => string | Promise<string>>> = {
  '.env.example': envExample,
  'docs/asyncapi.json': asyncApiDocument,
  'docs/config.md': configDocument,
  'docs/errors.md': () => `${errorsDocument()}\n${problemsDocument()}`,
  'docs/live-protocol.md': (current) => withSections(current, protocolTables()),
  'docs/metrics.md': metricsDocument,
  'docs/openapi.json': openApiDocument,
  'docs/reliability.md': reliabilityDocument,
  'docs/teltonika-io-elements.md': ioElementsDocument,
};

const check = process.argv.includes('--check');
let stale = 0;
for (const [name, write] of Object.entries(documents)) {
  const file = new URL(`../${name}`, import.meta.url);
  const found = await readFile(file, 'utf8').catch(() => '');
  const wanted = await write(found);
  if (found === wanted) continue;
  stale += 1;
  if (check) console.error(`${name} is not current: run npm run docs`);
  else await writeFile(file, wanted);
}
if (!check) console.log(stale === 0 ? 'every document is current' : `${stale} documents written`);
process.exitCode = check && stale > 0 ? 1 : 0;
