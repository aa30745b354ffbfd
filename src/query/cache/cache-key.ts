/**
 * Keys of cached answers. Equal questions have equal keys however they were spelled, since a key is made of what was
 * understood. Callers share an entry only where they see exactly the same devices: what a caller sees is in the key.
 */
import { createHash } from 'node:crypto';
import type { DeviceFilter } from '../visible-devices.ts';

/** To be changed with the form of any answer, so that processes of two releases do not read each other's. */
const VERSION = 1;

function digest(parts: unknown): string {
  return createHash('sha256').update(JSON.stringify(parts)).digest('base64url');
}

/** The same for all filters with the same devices, in whatever order. */
export function visibilityDigest(filter: DeviceFilter): string {
  return filter.kind === 'all' ? 'all' : digest(filter.ids.toSorted());
}

/**
 * @param question name of the question
 * @param parts all that the answer depends on, beside the caller and the data
 */
export function cacheKey(question: string, filter: DeviceFilter, parts: readonly unknown[]): string {
  return `odograph:answer:${VERSION}:${question}:${digest([visibilityDigest(filter), ...parts])}`;
}
