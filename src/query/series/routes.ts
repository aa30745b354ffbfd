/**
 * `GET /v1/devices/{deviceId}/series` and `GET /v1/series`: how a field or an attribute went, in buckets. Answers come
 * through the cache; what is not in it is read from the coarsest level that gives the same answer as the records.
 */
import type { FastifyReply, FastifyRequest } from 'fastify';
import { UNCHANGED_RESPONSE } from '../../http/etag.ts';
import { PROBLEM_RESPONSES, Problem } from '../../http/problem.ts';
import type { ApiRoutes } from '../../http/routes.ts';
import { sendCached } from '../cache/cached-reply.ts';
import { chooseDevices, namesOf, seenBy } from '../chosen-devices.ts';
import type { AskedDevices, ChosenDevices } from '../chosen-devices.ts';
import { stepText } from '../calendar/step.ts';
import { deviceParameters } from '../parameters.ts';
import type { QueryParts } from '../parts.ts';
import { answerOf, seriesSchema } from './answer.ts';
import type { Subject } from './answer.ts';
import type { SeriesParameters, SeriesQuestion } from './question.ts';
import { deviceSeriesParameters, needsRaw, questionOf, seriesParameters } from './question.ts';
import { oldestOf } from './retention.ts';
import { route } from './routing.ts';
import type { Source } from './routing.ts';
import type { Subjects } from './series-sql.ts';
import { seriesSql } from './series-sql.ts';

/** Of an answer, over all its series: some 10 MB of JSON. */
const MAX_POINTS = 100_000;

function sourceOf(question: SeriesQuestion, { settings }: QueryParts, now: number): Source {
  const { range, buckets, forced } = question;
  const found = route({ range, buckets, forced, needsRaw: needsRaw(question), oldest: oldestOf(settings, now) });
  if (found.kind === 'source') return found.source;
  throw new Problem('unprocessable', `source=${forced} cannot answer this: ${found.reason}`);
}

function refuseTooManyPoints({ names, buckets }: SeriesQuestion, subjects: number): void {
  const points = subjects * names.length * buckets.starts.length;
  if (points <= MAX_POINTS) return;
  throw new Problem('too_expensive', `this would be up to ${points} points, and ${MAX_POINTS} is the most; narrow the range, use a longer step, or ask for fewer devices (or by=all)`);
}

function subjectsOf({ by }: SeriesQuestion, { filter, groups }: ChosenDevices): Subjects {
  const ids = filter.kind === 'all' ? null : filter.ids;
  if (by !== 'group') return { by, ids };
  return { by, ids: ids ?? [], pairs: groups.flatMap(({ members }, key) => members.map((id) => ({ id, key }))) };
}

/** Those that get a series, by the key of their rows. A device that reported nothing in the range has none. */
async function shownSubjects(
  parts: QueryParts,
  { by }: SeriesQuestion,
  { groups }: ChosenDevices,
  keys: readonly string[],
  signal: AbortSignal,
): Promise<Map<string, Subject>> {
  switch (by) {
    case 'all':
      return new Map([['0', {}]]);
    case 'group':
      return new Map(groups.map(({ id: groupId }, key) => [String(key), { groupId }]));
    case 'device': {
      const names = await namesOf(parts, keys, signal);
      const known = [...names].toSorted(([, a], [, b]) => (a < b ? -1 : 1));
      return new Map(known.map(([id, deviceId]) => [id, { deviceId }]));
    }
  }
}

interface SeriesReading {
  readonly question: SeriesQuestion;
  readonly source: Source;
  readonly chosen: ChosenDevices;
}

async function readSeries(
  parts: QueryParts,
  { question, source, chosen }: SeriesReading,
  signal: AbortSignal,
): Promise<object> {
  const { buckets, measures, aggregates, by } = question;
  const { filter } = chosen;
  const known = filter.kind === 'all' ? null : filter.ids;
  if (by !== 'device') refuseTooManyPoints(question, by === 'all' ? 1 : chosen.groups.length);
  else if (known !== null) refuseTooManyPoints(question, known.length);
  const cost = await parts.cost.admit({ devices: filter, range: buckets, source }, 'use a longer step', signal);
  const statement = seriesSql({ source, subjects: subjectsOf(question, chosen), buckets, measures, aggregates });
  const rows = await parts.database.askText({ name: `series-${source}`, weight: cost.weight, ...statement }, signal);
  const keys = by === 'device' ? (known ?? [...new Set(rows.map(([key]) => key ?? ''))]) : [];
  if (by === 'device' && known === null) refuseTooManyPoints(question, keys.length);
  return answerOf(question, source, rows, await shownSubjects(parts, question, chosen, keys, signal));
}

async function answerSeries(
  parts: QueryParts,
  http: { readonly request: FastifyRequest; readonly reply: FastifyReply },
  parameters: SeriesParameters,
): Promise<FastifyReply> {
  const now = Date.now();
  const question = questionOf(parameters, now);
  const source = sourceOf(question, parts, now);
  const asked: AskedDevices = { devices: parameters.devices?.toSorted(), groups: parameters.groups };
  const { caller } = http.request;
  const { buckets: { from, to, step }, timeZone, names, aggregates, fillsGaps, by } = question;
  return sendCached(parts, http, {
    question: 'series', source, to,
    seen: await seenBy(parts, caller, asked),
    key: [asked, from, to, stepText(step), timeZone, names, aggregates, fillsGaps, by, source],
    work: async (signal) => {
      const chosen = await chooseDevices(parts, caller, asked, signal);
      return readSeries(parts, { question, source, chosen }, signal);
    },
  });
}

const ANSWER = { 200: seriesSchema, ...UNCHANGED_RESPONSE, ...PROBLEM_RESPONSES };

export function seriesRoutes(parts: QueryParts): ApiRoutes {
  return async (api) => {
    api.route({
      method: 'GET',
      url: '/v1/devices/:deviceId/series',
      config: { scope: 'read' },
      schema: {
        operationId: 'getDeviceSeries',
        tags: ['Series'],
        summary: 'How a field or an attribute of a device went',
        description: 'In buckets of one step, from whole minutes or hours where these give the same answer as the records.',
        params: deviceParameters,
        querystring: deviceSeriesParameters,
        response: ANSWER,
      },
      handler: (request, reply) => answerSeries(parts, { request, reply }, {
        ...request.query, devices: [request.params.deviceId],
      }) as never,
    });
    api.route({
      method: 'GET',
      url: '/v1/series',
      config: { scope: 'read' },
      schema: {
        operationId: 'getSeries',
        tags: ['Series'],
        summary: 'How a field or an attribute of several devices went',
        description: 'A series for each device, for each group, or one for all devices together.',
        querystring: seriesParameters,
        response: ANSWER,
      },
      handler: (request, reply) => answerSeries(parts, { request, reply }, request.query) as never,
    });
  };
}
