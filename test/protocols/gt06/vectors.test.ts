/** Runs `vectors/*.json`: frames written from the vendors' documents, with every field that must come out of them. */
import { readdirSync, readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { describe, expect, it } from 'vitest';
import { accepted, bytes, eventsOf, handled, plain } from './support.ts';

interface Vector {
  readonly name: string;
  /** The document, and where in it. */
  readonly source: string;
  readonly frame: string;
  readonly receivedAt: string;
  readonly zoneMinutes?: number;
  readonly records: readonly unknown[];
  readonly rejected: readonly { readonly code: string; readonly field: string }[];
  readonly reply: string | null;
}

const folder = resolve(import.meta.dirname, 'vectors');

for (const file of readdirSync(folder).filter((name) => name.endsWith('.json'))) {
  const vectors = JSON.parse(readFileSync(resolve(folder, file), 'utf8')) as Vector[];
  describe(file, () => {
    it.each(vectors.map((vector) => [vector.name, vector] as const))('%s', (_, vector) => {
      const frame = bytes(vector.frame);
      expect(eventsOf(frame)).toEqual([{ kind: 'frame', bytes: frame }]);
      const result = accepted(handled(frame, Date.parse(vector.receivedAt), vector.zoneMinutes));
      expect(result.records.map(plain)).toEqual(vector.records);
      expect(result.rejected.map(({ code, field }) => ({ code, field }))).toEqual(vector.rejected);
      expect(result.rejected.map((reason) => reason.raw)).toEqual(vector.rejected.map(() => frame));
      expect(result.reply?.toString('hex') ?? null).toBe(vector.reply);
    });
  });
}
