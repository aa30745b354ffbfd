/** What mutations begin with: every frame that stands in hexadecimal in the vectors of a protocol's tests. */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Protocol } from '../../src/protocols/protocol.ts';

export interface Seeds {
  /** A stream of one or more frames each. */
  readonly frames: readonly Buffer[];
  readonly datagrams: readonly Buffer[];
}

const HEX = /^(?:[\da-f]{2})+$/i;

interface Vector {
  readonly frame?: string;
  readonly hex?: string;
  readonly transport?: string;
}

/** @throws Error for a protocol whose tests have no vectors: it would be fuzzed with noise alone. */
export function seedsOf({ name }: Protocol): Seeds {
  const folder = join(import.meta.dirname, '../protocols', name, 'vectors');
  const files = readdirSync(folder).filter((file) => file.endsWith('.json'));
  const vectors = files.flatMap((file) => JSON.parse(readFileSync(join(folder, file), 'utf8')) as Vector | Vector[]);
  const bytesOf = (wanted: boolean): Buffer[] => vectors
    .filter(({ transport }) => (transport === 'udp') === wanted)
    .map(({ frame, hex }) => frame ?? hex ?? '')
    .filter((text) => HEX.test(text))
    .map((text) => Buffer.from(text, 'hex'));
  const seeds = { frames: bytesOf(false), datagrams: bytesOf(true) };
  if (seeds.frames.length === 0) throw new Error(`${folder} has no frames with "frame" or "hex"`);
  return seeds;
}
