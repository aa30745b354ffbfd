/** A request for an event stream: whoever may not follow anything is told so by the HTTP status, before it begins. */
import type { Credential } from '../../auth/provider.ts';
import { resourceKey } from '../../auth/provider.ts';
import type { Session } from '../../auth/session.ts';
import type { LiveRequest, RejectedRequest } from './request.ts';
import { TOPIC_EXPECTED, parseTopic } from '../messages/topics.ts';

const TOPICS_LIMIT = 1_000;

export interface EventStreamRequest {
  readonly topics: readonly string[];
  readonly credential: Credential;
}

function rejected(reason: RejectedRequest['reason'], message: string): RejectedRequest {
  return { reason, message };
}

const UNAVAILABLE = rejected('unavailable', 'nobody can say at the moment whether you may read this; try again');
const FORBIDDEN = rejected('forbidden', 'there are no such devices or groups, or you may not read them');

/** A device may have a comma in its identifier: such a topic has a parameter of its own. */
function topicsOf(query: URLSearchParams): string[] {
  const listed = query.getAll('topics').flatMap((list) => list.split(','));
  return [...listed, ...query.getAll('topic')].filter((topic) => topic !== '');
}

function topicsProblem(topics: readonly string[]): RejectedRequest | null {
  if (topics.length === 0) return rejected('bad_request', 'topics: expected one or more, as in ?topics=device:356307042441013');
  if (topics.length > TOPICS_LIMIT) return rejected('bad_request', `topics: expected at most ${TOPICS_LIMIT}`);
  const wrong = topics.find((topic) => parseTopic(topic) === undefined);
  if (wrong === undefined) return null;
  return rejected('bad_request', `topics: expected ${TOPIC_EXPECTED}, got ${JSON.stringify(wrong.slice(0, 80))}`);
}

/** null: something of it may be followed. */
async function denial(session: Session, topics: readonly string[]): Promise<RejectedRequest | null> {
  const resources = topics.flatMap((topic) => parseTopic(topic)?.resource ?? []);
  const decisions = await session.authorise(resources);
  if (session.end !== null) return rejected('unauthorized', session.end.message);
  const all = resources.map((resource) => decisions.get(resourceKey(resource)));
  if (all.includes('allowed')) return null;
  return all.includes('unavailable') ? UNAVAILABLE : FORBIDDEN;
}

/** What the stream is to show and to whom, or why there is none. */
export async function checkEventStream(
  { hub, query, credential }: LiveRequest,
): Promise<EventStreamRequest | RejectedRequest> {
  const topics = topicsOf(query);
  const problem = topicsProblem(topics);
  if (problem !== null) return problem;
  if (credential === null) return rejected('unauthorized', 'a credential is needed: a bearer header or a session cookie');
  const opened = await hub.sessions.open(credential);
  if (opened.outcome === 'unavailable') return UNAVAILABLE;
  if (opened.outcome === 'refused') return rejected('unauthorized', opened.message);
  return (await denial(opened.session, topics)) ?? { topics, credential };
}
