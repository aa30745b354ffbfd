/** What the routes of the role query are made of. */
import type { Settings } from '../config/settings.ts';
import type { Logger } from '../observability/logger.ts';
import type { Redis } from '../shared/redis.ts';
import type { AnswerCache } from './cache/answer-cache.ts';
import type { Answering } from './database.ts';
import type { QueryEvents } from './events.ts';
import type { CostLimit } from './protection/cost.ts';
import type { ProtectionEvents } from './protection/events.ts';
import type { VisibleDevices } from './visible-devices.ts';

export interface QueryParts {
  readonly settings: Settings;
  readonly database: Answering;
  readonly visible: VisibleDevices;
  readonly redis: Redis;
  readonly events: QueryEvents;
  readonly cache: AnswerCache;
  readonly cost: CostLimit;
  readonly protection: ProtectionEvents;
  readonly log: Logger;
}
