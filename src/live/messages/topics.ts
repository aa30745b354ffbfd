/**
 * Topics: what a viewer follows. `device:<identifier>`, `group:<UUID>`, `event:<UUID>` (the same as group), and `*` for
 * everything. A topic has one spelling, so that a message can be told by its topic.
 */
import type { Resource } from '../../auth/provider.ts';

export interface Topic {
  /** As the client wrote it. */
  readonly key: string;
  readonly resource: Resource;
}

const DEVICE = /^device:([^\p{C}]{1,128})$/u;
const GROUP = /^(?:group|event):([0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12})$/;

export const TOPIC_EXPECTED =
  "'device:' and the tracker's identifier, 'group:' or 'event:' and a UUID in lower case, or '*'";

/** undefined: the text is no topic. */
export function parseTopic(key: string): Topic | undefined {
  if (key === '*') return { key, resource: { kind: 'all' } };
  const device = DEVICE.exec(key)?.[1];
  if (device !== undefined) return { key, resource: { kind: 'device', id: device } };
  const group = GROUP.exec(key)?.[1];
  return group === undefined ? undefined : { key, resource: { kind: 'group', id: group } };
}
