/**
 * `GET /v1/devices/{deviceId}/summaries` and `GET /v1/summaries`: what the days of devices were, out of their records.
 * Pages have whole devices, so that no page is larger than its devices and days; what would read too much is refused.
 */
import type { FastifyReply, FastifyRequest } from 'fastify';
import { z } from 'zod';
import { UNCHANGED_RESPONSE } from '../../http/etag.ts';
import { PROBLEM_RESPONSES } from '../../http/problem.ts';
import type { ApiRoutes } from '../../http/routes.ts';
import { sendCached } from '../cache/cached-reply.ts';
import type { Buckets } from '../calendar/buckets.ts';
import { chooseDevices, seenBy } from '../chosen-devices.ts';
import type { AskedDevices } from '../chosen-devices.ts';
import { cursorParameter, decodeCursor, encodeCursor } from '../cursor.ts';
import { deviceParameters, limit } from '../parameters.ts';
import type { QueryParts } from '../parts.ts';
import { bucketsOf, chosenDevicesParameters, rangeOf, rangeParameters } from '../series/question.ts';
import type { DeviceFilter, VisibleDevice } from '../visible-devices.ts';
import type { Summaries } from './answer.ts';
import { itemsOf, summariesSchema } from './answer.ts';
import { CONNECTION_LIMIT_S } from './definitions.ts';
import type { SummaryRow } from './summary-sql.ts';
import { summarySql } from './summary-sql.ts';

/** Devices of a page. */
const PAGE = { default: 50, max: 500 };
const MAX_DAYS = 400;
/** Of a record: some 7 µs of the database, where adding one up takes less than 2. */
const EFFORT = 4;

const summariesParameters = z.object({
  ...rangeParameters,
  ...chosenDevicesParameters,
  limit: limit(PAGE).describe(`Most devices of a page, 1 to ${PAGE.max}; ${PAGE.default} where it is not given.`),
  cursor: cursorParameter.optional(),
});

/** The range goes with the cursor, or `now` would be another one on every page. */
const place = z.tuple([z.string().regex(/^\d{1,19}$/), z.int(), z.int()]);

interface SummariesQuestion {
  readonly days: Buckets;
  readonly timeZone: string;
  readonly asked: AskedDevices;
  readonly limit: number;
  /** The last device of the page before, by its id in `devices`. */
  readonly after: string;
}

function questionOf(parameters: z.infer<typeof summariesParameters>, now: number): SummariesQuestion {
  const { timeZone = 'UTC', devices, groups, cursor, limit: size = PAGE.default } = parameters;
  const known = cursor === undefined ? null : decodeCursor(cursor, place);
  const range = rangeOf({ from: parameters.from ?? known?.[1], to: parameters.to ?? known?.[2] }, now);
  const days = bucketsOf(range, { kind: 'calendar', unit: 'day', count: 1 }, timeZone, MAX_DAYS);
  return { days, timeZone, asked: { devices: devices?.toSorted(), groups }, limit: size, after: known?.[0] ?? '0' };
}

const PAGE_OF_DEVICES = `
  select id::text as id, unique_id as "deviceId" from devices
  where id > $1::bigint and ($2::bigint[] is null or id = any($2::bigint[]))
  order by id limit $3::int`;

async function devicesOf(
  { database }: QueryParts,
  filter: DeviceFilter,
  { after, limit: size }: SummariesQuestion,
  signal: AbortSignal,
): Promise<{ readonly page: readonly VisibleDevice[]; readonly hasMore: boolean }> {
  const values = [after, filter.kind === 'all' ? null : filter.ids, size + 1];
  const found = await database.ask<VisibleDevice>({ name: 'summary-devices', text: PAGE_OF_DEVICES, values }, signal);
  return { page: found.slice(0, size), hasMore: found.length > size };
}

async function readSummaries(
  parts: QueryParts,
  filter: DeviceFilter,
  question: SummariesQuestion,
  signal: AbortSignal,
): Promise<Summaries> {
  const { days, timeZone } = question;
  const { from, to } = days;
  const { page, hasMore } = await devicesOf(parts, filter, question, signal);
  const ids = page.map(({ id }) => id);
  const around = { from: from - CONNECTION_LIMIT_S * 1_000, to: to + CONNECTION_LIMIT_S * 1_000 };
  const { weight } = await parts.cost.admit(
    { devices: { kind: 'only', ids }, range: around, source: 'raw', effort: EFFORT }, 'ask for fewer devices (limit)', signal);
  const rows = ids.length === 0
    ? []
    : await parts.database.ask<SummaryRow>({ name: 'summaries', weight, ...summarySql(ids, days) }, signal);
  const last = ids.at(-1);
  const next = hasMore && last !== undefined ? encodeCursor([last, from, to]) : null;
  const deviceIds = new Map(page.map(({ id, deviceId }) => [id, deviceId]));
  return { from, to, timeZone, items: itemsOf(rows, { days, timeZone, deviceIds }), next };
}

async function answerSummaries(
  parts: QueryParts,
  http: { readonly request: FastifyRequest; readonly reply: FastifyReply },
  parameters: z.infer<typeof summariesParameters>,
): Promise<FastifyReply> {
  const question = questionOf(parameters, Date.now());
  const { days: { from, to }, timeZone, asked, limit: size, after } = question;
  const { caller } = http.request;
  return sendCached(parts, http, {
    question: 'summaries', source: 'raw', to,
    seen: await seenBy(parts, caller, asked),
    key: [asked, from, to, timeZone, size, after],
    work: async (signal) => {
      const { filter } = await chooseDevices(parts, caller, asked, signal);
      return readSummaries(parts, filter, question, signal);
    },
  });
}

const ANSWER = { 200: summariesSchema, ...UNCHANGED_RESPONSE, ...PROBLEM_RESPONSES };

export function summariesRoutes(parts: QueryParts): ApiRoutes {
  return async (api) => {
    api.route({
      method: 'GET',
      url: '/v1/devices/:deviceId/summaries',
      config: { scope: 'read' },
      schema: {
        operationId: 'getDeviceSummaries',
        tags: ['Series'],
        summary: 'What the days of a device were',
        description: 'Distance, time moving, idling and stopped, engine hours and top speed of each local day.',
        params: deviceParameters,
        querystring: z.object(rangeParameters),
        response: ANSWER,
      },
      handler: (request, reply) => answerSummaries(parts, { request, reply }, {
        ...request.query, devices: [request.params.deviceId],
      }) as never,
    });
    api.route({
      method: 'GET',
      url: '/v1/summaries',
      config: { scope: 'read' },
      schema: {
        operationId: 'getSummaries',
        tags: ['Series'],
        summary: 'What the days of several devices were',
        description: 'As for one device, in pages of some devices each.',
        querystring: summariesParameters,
        response: ANSWER,
      },
      handler: (request, reply) => answerSummaries(parts, { request, reply }, request.query) as never,
    });
  };
}
