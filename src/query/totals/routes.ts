/** `GET /v1/totals`: what a fleet did in a range, all together and by group, out of the hours. */
import type { FastifyReply, FastifyRequest } from 'fastify';
import { z } from 'zod';
import { UNCHANGED_RESPONSE } from '../../http/etag.ts';
import { PROBLEM_RESPONSES } from '../../http/problem.ts';
import type { ApiRoutes } from '../../http/routes.ts';
import { sendCached } from '../cache/cached-reply.ts';
import type { TimeRange } from '../calendar/buckets.ts';
import { chooseDevices, seenBy } from '../chosen-devices.ts';
import type { AskedDevices, ChosenDevices } from '../chosen-devices.ts';
import { time } from '../parameters.ts';
import type { QueryParts } from '../parts.ts';
import { chosenDevicesParameters, rangeOf } from '../series/question.ts';
import { RESOLUTION_MS } from '../series/routing.ts';
import { shortestSingle, toSingleDigits } from '../series/rounding.ts';
import type { TotalsRow } from './totals-sql.ts';
import { totalsSql } from './totals-sql.ts';

const HOUR_MS = RESOLUTION_MS.hours;

const totalsParameters = z.object({
  from: time.optional().describe('First instant, ISO 8601 or epoch milliseconds. Without it: 24 hours before `to`.'),
  to: time.optional().describe('First instant after the range, ISO 8601 or epoch milliseconds. Without it: now.'),
  ...chosenDevicesParameters,
});

const figures = {
  devices: z.number().describe('Devices that the caller sees.'),
  online: z.number().describe('Those whose last record came in within QUERY_ONLINE_MS: at the moment, whatever the range.'),
  offline: z.number().describe('Those whose last record came in before.'),
  never: z.number().describe('Those that have never sent a record.'),
  active: z.number().describe('Those with a record in the range.'),
  records: z.number().describe('Records in the range.'),
  meanSpeed: z.number().nullable().describe('Mean of all speeds in the range, km/h; null: no record has one.'),
  topSpeed: z.number().nullable().describe('km/h'),
};

const totalsSchema = z
  .object({
    from: z.number().describe('First instant, epoch milliseconds: the range is widened to whole hours.'),
    to: z.number().describe('First instant after the range, epoch milliseconds.'),
    ...figures,
    groups: z.array(z.object({ groupId: z.string(), name: z.string(), ...figures }))
      .describe('Each of `groups`, with the members that it has at the moment.'),
  })
  .meta({ id: 'Totals' });

type Totals = z.infer<typeof totalsSchema>;

const NONE: Omit<TotalsRow, 'key'> = {
  devices: 0, online: 0, offline: 0, never: 0, active: 0, records: 0, meanSpeed: null, topSpeed: null,
};

function figuresOf(row: TotalsRow | undefined): Omit<TotalsRow, 'key'> {
  const { devices, online, offline, never, active, records, meanSpeed, topSpeed } = row ?? NONE;
  return {
    devices, online, offline, never, active, records,
    meanSpeed: meanSpeed === null ? null : toSingleDigits(meanSpeed),
    topSpeed: topSpeed === null ? null : shortestSingle(topSpeed),
  };
}

async function readTotals(
  { settings, database, cost }: QueryParts,
  range: TimeRange,
  { filter, groups }: ChosenDevices,
  signal: AbortSignal,
): Promise<Totals> {
  const { weight, hoursTo, minutesTo } = await cost.admit(
    { devices: filter, range, source: 'hours' }, 'ask for fewer devices', signal);
  const ids = filter.kind === 'all' ? null : filter.ids;
  const onlineSince = Date.now() - settings.QUERY_ONLINE_MS;
  const statement = totalsSql({
    range, ids, groups, onlineSince, hoursTo: hoursTo ?? -Infinity, minutesTo: minutesTo ?? -Infinity,
  });
  const rows = await database.ask<TotalsRow>({ name: 'totals', weight, ...statement }, signal);
  const byKey = new Map(rows.map((row) => [row.key, row]));
  return {
    ...range, ...figuresOf(byKey.get(-1)),
    groups: groups.map(({ id: groupId, name }, key) => ({ groupId, name, ...figuresOf(byKey.get(key)) })),
  };
}

async function answerTotals(
  parts: QueryParts,
  http: { readonly request: FastifyRequest; readonly reply: FastifyReply },
  parameters: z.infer<typeof totalsParameters>,
): Promise<FastifyReply> {
  const asked: AskedDevices = { devices: parameters.devices?.toSorted(), groups: parameters.groups };
  const now = Date.now();
  const given = rangeOf(parameters, now);
  const range = { from: Math.floor(given.from / HOUR_MS) * HOUR_MS, to: Math.ceil(given.to / HOUR_MS) * HOUR_MS };
  const { caller } = http.request;
  return sendCached(parts, http, {
    question: 'totals', source: 'hours',
    // Who is online is a question about now, whatever the range.
    to: Math.max(range.to, now),
    seen: await seenBy(parts, caller, asked),
    key: [asked, range],
    work: async (signal) => readTotals(parts, range, await chooseDevices(parts, caller, asked, signal), signal),
  });
}

export function totalsRoutes(parts: QueryParts): ApiRoutes {
  return async (api) => {
    api.route({
      method: 'GET',
      url: '/v1/totals',
      config: { scope: 'read' },
      schema: {
        operationId: 'getTotals',
        tags: ['Series'],
        summary: 'What a fleet did',
        description: 'Of the devices that the caller sees, of some of them, or of groups.',
        querystring: totalsParameters,
        response: { 200: totalsSchema, ...UNCHANGED_RESPONSE, ...PROBLEM_RESPONSES },
      },
      handler: (request, reply) => answerTotals(parts, { request, reply }, request.query) as never,
    });
  };
}
