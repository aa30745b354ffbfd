/** One case: bytes, and how they reach a protocol. Kept ones are lines of `kept.json`. */
import { readFileSync } from 'node:fs';
import { gunzipSync, gzipSync } from 'node:zlib';
import type { Protocol } from '../../src/protocols/protocol.ts';
import { findProtocol } from '../../src/protocols/registry.ts';

/** As a stream through the framer and a session, as one frame to a session that is logged in, or as a datagram. */
export type Way = 'stream' | 'frame' | 'datagram';

export interface FuzzCase {
  readonly protocol: Protocol;
  readonly way: Way;
  readonly bytes: Buffer;
  /** Seeds the places at which a stream is cut into chunks. */
  readonly cutSeed: number;
}

interface KeptCase {
  readonly why: string;
  readonly protocol: string;
  readonly way: Way;
  readonly cutSeed?: number;
  /** gzip, base64: most are long and repeat themselves. */
  readonly bytes: string;
}

/** As it is kept, and printed when it fails. */
export function asKept({ protocol, way, cutSeed, bytes }: FuzzCase, why: string): string {
  const kept: KeptCase = { why, protocol: protocol.name, way, cutSeed, bytes: gzipSync(bytes).toString('base64') };
  return JSON.stringify(kept);
}

/** What once failed, or nearly did. @throws Error for a protocol that is not there any more. */
export function keptCases(): (FuzzCase & { readonly why: string })[] {
  const kept = JSON.parse(readFileSync(new URL('kept.json', import.meta.url), 'utf8')) as readonly KeptCase[];
  return kept.map(({ why, protocol: name, way, cutSeed = 0, bytes }) => {
    const protocol = findProtocol(name);
    if (protocol === undefined) throw new Error(`kept.json: there is no protocol ${name}`);
    return { why, protocol, way, cutSeed, bytes: gunzipSync(Buffer.from(bytes, 'base64')) };
  });
}
