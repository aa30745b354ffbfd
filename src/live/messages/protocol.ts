/**
 * The live protocol: what a client may say, what it is told, and how a connection ends. The schemas here are the types,
 * the validation and, through `protocol-document.ts`, the published description.
 */
import { z } from 'zod';
import { TOPIC_EXPECTED } from './topics.ts';

/** Most topics of one message. */
export const TOPICS_PER_MESSAGE = 10_000;

const topic = z.string().max(200).describe(`A topic: ${TOPIC_EXPECTED}.`);
const topics = z.array(topic).min(1).max(TOPICS_PER_MESSAGE).describe('Several topics at once, in the place of `topic`.');
const ref = z
  .string()
  .max(100)
  .describe('Any text; it comes back with every answer to this message.');
const token = z.string().max(8_192).describe('A JWT, a static token, or the token of the administrator.');
const cursor = z.string().max(16_384).describe('Where in the stream the feed is; says nothing to a client.');

export const authMessage = z
  .object({ type: z.literal('auth'), access_token: token, ref: ref.optional() })
  .describe('Signs in, or presents a fresh credential of the same user before the old one ends.');
export const subscribeMessage = z
  .object({
    type: z.literal('subscribe'), topic: topic.optional(), topics: topics.optional(), ref: ref.optional(),
    resume: cursor.optional().describe('The last `id` that came while the topics were followed: only what has changed since is sent.'),
  })
  .refine(hasOneKindOfTopics, { path: ['topic'], error: 'either `topic` or `topics`' })
  .describe('Follows topics. A topic that is followed already gets a fresh snapshot.');
export const unsubscribeMessage = z
  .object({ type: z.literal('unsubscribe'), topic: topic.optional(), topics: topics.optional(), ref: ref.optional() })
  .refine(hasOneKindOfTopics, { path: ['topic'], error: 'either `topic` or `topics`' })
  .describe('Ends subscriptions.');
export const pingMessage = z
  .object({ type: z.literal('ping'), ref: ref.optional() })
  .describe('Asks for a `pong`: for browsers, which cannot send the pings of WebSocket itself.');

export const clientMessage = z.discriminatedUnion('type', [authMessage, subscribeMessage, unsubscribeMessage, pingMessage]);

export type ClientMessage = z.infer<typeof clientMessage>;

function hasOneKindOfTopics(message: { topic?: string | undefined; topics?: string[] | undefined }): boolean {
  return (message.topic === undefined) !== (message.topics === undefined);
}

/** An error, what it means, and what a client does about it. */
interface ErrorMeaning {
  readonly meaning: string;
}

const errors = {
  invalid_json: { meaning: 'The message is not JSON.' },
  invalid_message: { meaning: 'The message has an unknown type or a wrong field; the text names the field and what was expected.' },
  invalid_topic: { meaning: `What was asked for is no topic. Expected: ${TOPIC_EXPECTED}.` },
  binary_not_supported: { meaning: 'Messages are JSON in text frames; this one was binary.' },
  rate_limited: { meaning: 'Too many messages: this one was not read, nor are those behind it, until some time has passed; at most one in a second is answered with this error, the others not at all. Send several topics in one message, and slow down. With a `topic`: too many requests for it wait for their answer.' },
  too_many_subscriptions: { meaning: 'The connection has as many subscriptions as LIVE_WS_MAX_SUBSCRIPTIONS allows.' },
  not_authenticated: { meaning: 'Sign in first: a credential with the upgrade, or an `auth` message.' },
  auth_failed: { meaning: 'The credential is not good, or not any more. Another one may be sent until the time for signing in is over.' },
  auth_unavailable: { meaning: 'Nobody can say whether the credential is good at the moment. Try again in some seconds.' },
  auth_other_user: { meaning: 'The credential belongs to another user than the connection. It goes on as before; open another one.' },
  forbidden: { meaning: 'There is no such device or group, or the user may not read it: the answer is the same.' },
  authorisation_unavailable: { meaning: 'Nobody can say whether the user may read this at the moment, so the answer is no. Try again in some seconds.' },
  snapshot_unavailable: { meaning: 'The database cannot be asked for the newest known positions. The subscription stands, with what is known without it; subscribe again for a full snapshot.' },
} as const satisfies Record<string, ErrorMeaning>;

export type ErrorCode = keyof typeof errors;

export const ERRORS: Readonly<Record<ErrorCode, ErrorMeaning>> = errors;

/** Why a request over HTTP does not become a connection, by the code of the answer and of the metric. */
export const REJECTIONS = {
  bad_request: { status: 400, meaning: 'The topics are none, or too many; or there is a token in the URL, with Directus as the authority.' },
  unauthorized: { status: 401, meaning: 'Server-sent events without a credential, or with one that is not good. A WebSocket is opened all the same, and told `not_authenticated` or `auth_failed`.' },
  origin: { status: 403, meaning: 'Pages of this origin may not connect: LIVE_ALLOWED_ORIGINS.' },
  forbidden: { status: 403, meaning: 'Server-sent events of which nothing exists or may be read.' },
  not_found: { status: 404, meaning: 'There is nothing at this path.' },
  upgrade_required: { status: 426, meaning: 'A plain request for the WebSocket; or a proxy in between does not pass the upgrade on.' },
  not_ready: { status: 503, meaning: 'The server is starting, waits for Redis, or stops. Try again, as `Retry-After` says.' },
  too_many_connections: { status: 503, meaning: 'As many viewers as LIVE_WS_MAX_CONNECTIONS or LIVE_WS_MAX_CONNECTIONS_PER_ADDRESS allows.' },
  unavailable: { status: 503, meaning: 'Server-sent events: nobody can say at the moment who this is, or what may be read.' },
} as const satisfies Record<string, { status: number; meaning: string }>;

export type Rejection = keyof typeof REJECTIONS;

/** Codes with which a connection ends, by the name that metrics and logs have for each. */
export const CLOSES = {
  shutdown: { code: 1001, meaning: 'The server stops. Connect again, to this one or another.' },
  internal_error: { code: 1011, meaning: 'A bug of the server: it is in its log. Connect again.' },
  bad_messages: { code: 4400, meaning: 'One message after the other that is none.' },
  not_authenticated: { code: 4401, meaning: 'No valid credential within LIVE_WS_AUTH_TIMEOUT_MS.' },
  access_ended: { code: 4403, meaning: 'The credential is not good any more: the user was suspended or deleted, has another role, or has signed out; or the session cookie was exchanged for a new one. Connect again with a fresh credential.' },
  credential_expired: { code: 4419, meaning: 'The credential has come to its end and no fresh one was presented before. Connect again with a fresh one.' },
  rate_limited: { code: 4429, meaning: 'The client went on sending after many messages had been refused.' },
  slow_client: { code: 4490, meaning: 'The client took nothing of what was waiting for it for LIVE_WS_SLOW_CLIENT_TIMEOUT_MS.' },
  heartbeat: { code: 1006, meaning: 'Two pings in a row without a pong: the connection is cut without a word.' },
} as const satisfies Record<string, { code: number; meaning: string }>;

export type CloseReason = keyof typeof CLOSES;

/** Codes that come from WebSocket itself (RFC 6455), not from this protocol. */
export const STANDARD_CLOSES = {
  1000: 'The client has closed the connection.',
  1002: 'The client does not speak WebSocket as RFC 6455 wants it.',
  1007: 'A text message is not UTF-8.',
  1009: 'A message is longer than LIVE_WS_MAX_MESSAGE_BYTES.',
} as const;

const value = z.union([
  z.number(), z.string(), z.boolean(),
  z.object({ __bigint: z.string() }).describe('An integer beyond ±(2^53−1).'),
  z.object({ __buffer_b64: z.string() }).describe('A byte string.'),
]);

export const position = z
  .object({
    deviceId: z.string().describe("The tracker's own identifier, such as its IMEI."),
    ts: z.number().describe("Time of the record by the tracker's clock, epoch milliseconds."),
    receivedAt: z.number().describe('When the record came in, epoch milliseconds.'),
    latitude: z.number().nullable().describe('Degrees, WGS84; null without a fix.'),
    longitude: z.number().nullable().describe('Degrees, WGS84; null without a fix.'),
    altitude: z.number().nullable().describe('Metres.'),
    course: z.number().nullable().describe('Degrees clockwise from north.'),
    speed: z.number().nullable().describe('km/h.'),
    satellites: z.number().nullable(),
    hdop: z.number().nullable(),
    valid: z.boolean().describe('The tracker says that it had a fix.'),
    priority: z.number().describe('As the tracker reported it; 0 where its protocol has none.'),
    eventId: z.number().describe('With `ts` it orders the records of a device.'),
    attributes: z.record(z.string(), value).describe('Everything else that the tracker reported, by name, in SI units.'),
    fixTs: z.number().nullable().optional()
      .describe('In snapshots: the time of the coordinates, which are those of the newest record that has any. null: none ever had.'),
  })
  .describe('One record of a tracker.');

const unsubscribedReason = z.enum(['requested', 'revoked', 'expired']);

export type UnsubscribedReason = z.infer<typeof unsubscribedReason>;

export const serverMessages = {
  auth: z.object({ type: z.literal('auth'), status: z.literal('ok'), expiresAt: z.number().nullable(), ref: ref.optional() })
    .describe('The credential is good, until `expiresAt` (epoch milliseconds); null: it has no end, as the token of the administrator.'),
  subscribed: z.object({
    type: z.literal('subscribed'), topic, ref: ref.optional(), resumed: z.boolean(), snapshot: z.array(position),
    id: cursor.optional(),
  }).describe('The topic is followed. `snapshot` is the newest known position of each of its devices, or with `resumed` of those that have a newer one since. What comes from now on follows without a gap and without a repetition. Of the topics of one message the last has the `id`.'),
  position: z.object({ type: z.literal('position'), topic, position })
    .describe('A device has a newer position. Older ones that come in late are never sent.'),
  left: z.object({ type: z.literal('left'), topic, deviceId: z.string() })
    .describe('A device is no longer in the group: nothing more comes of it on this topic.'),
  cursor: z.object({ type: z.literal('cursor'), id: cursor })
    .describe('Follows the positions of a moment: remember the last `id`, and give it as `resume` after a reconnect.'),
  unsubscribed: z.object({ type: z.literal('unsubscribed'), topic, reason: unsubscribedReason, ref: ref.optional() })
    .describe('The topic is not followed any more: as requested, because the user may not read it any more, or because the credential or its authorisation has expired.'),
  pong: z.object({ type: z.literal('pong'), ref: ref.optional() }).describe('The answer to `ping`.'),
  error: z.object({
    type: z.literal('error'), code: z.enum(Object.keys(errors) as [ErrorCode, ...ErrorCode[]]), message: z.string(),
    topic: topic.optional(), ref: ref.optional(),
  }).describe('Something was not done. The connection goes on.'),
} as const;

type ServerMessages = { [Type in keyof typeof serverMessages]: z.infer<(typeof serverMessages)[Type]> };

/** The messages that are made as objects; those with positions are put together from parts that are JSON already. */
export type PlainMessage = ServerMessages['auth' | 'left' | 'unsubscribed' | 'pong' | 'error' | 'cursor'];
export type ServerMessageType = keyof ServerMessages;

export type Parsed =
  | { readonly ok: true; readonly message: ClientMessage }
  | { readonly ok: false; readonly code: 'invalid_json' | 'invalid_message'; readonly message: string; readonly ref?: string };

/** What was expected where, of the first thing that is wrong. */
function problemOf(error: z.ZodError): string {
  const [issue] = error.issues;
  if (issue === undefined) return 'not a message';
  return `${issue.path.join('.') || 'message'}: ${issue.message}`;
}

function refOf(value: unknown): { ref?: string } {
  const found = z.object({ ref }).safeParse(value);
  return found.success ? { ref: found.data.ref } : {};
}

/** A message of a client, or what is wrong with it. */
export function parseClientMessage(text: string): Parsed {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return { ok: false, code: 'invalid_json', message: 'the message is not JSON' };
  }
  const result = clientMessage.safeParse(value);
  if (result.success) return { ok: true, message: result.data };
  return { ok: false, code: 'invalid_message', message: problemOf(result.error), ...refOf(value) };
}

/** The topics of a message that names one or several. */
export function topicsOf(message: Pick<z.infer<typeof unsubscribeMessage>, 'topic' | 'topics'>): readonly string[] {
  return message.topics ?? (message.topic === undefined ? [] : [message.topic]);
}
