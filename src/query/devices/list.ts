/** `GET /v1/devices`: the devices that the caller sees, a page at a time, each with its newest state. */
import { z } from 'zod';
import { UNCHANGED_RESPONSE } from '../../http/etag.ts';
import { PROBLEM_RESPONSES } from '../../http/problem.ts';
import type { ApiRoutes } from '../../http/routes.ts';
import { clientSignal, linkNext, sendAnswer } from '../answer.ts';
import { answerOfPage } from '../cache/answer.ts';
import { cursorParameter, decodeCursor, encodeCursor, invalidParameter, nextSchema } from '../cursor.ts';
import type { Question } from '../database.ts';
import { groupId, limit, text } from '../parameters.ts';
import type { QueryParts } from '../parts.ts';
import { StatementValues } from '../statement-values.ts';
import { usOf } from '../times.ts';
import type { DeviceFilter } from '../visible-devices.ts';
import { checkGroups } from '../visible-groups.ts';
import { contains, isInGroup, isVisible, whereOf } from './conditions.ts';
import { DEVICES, bindOnlineSince, deviceColumns, deviceSchema, statusOf, statusSchema } from './device-schema.ts';

const PAGE = { default: 100, max: 1_000 };

/** What devices can be sorted by. A name is as long as its cursor may be. */
const SORTS = {
  deviceId: { sql: 'd.unique_id', type: 'text' },
  name: { sql: 'lower(left(coalesce(d.name, d.unique_id), 200))', type: 'text' },
  lastSeenAt: { sql: `coalesce(${usOf('s.last_received_at')}, -1)`, type: 'bigint' },
  createdAt: { sql: usOf('d.created_at'), type: 'bigint' },
} as const;

type SortName = keyof typeof SORTS;

const sortNames = Object.keys(SORTS) as SortName[];
const sort = z.enum([...sortNames, ...sortNames.map((name): `-${SortName}` => `-${name}`)]);

const parameters = z.object({
  q: text(128).optional().describe('Part of the identifier or of the name, upper or lower case.'),
  status: statusSchema.optional(),
  group: groupId.optional().describe('Only members of the group with this id at the moment.'),
  sort: sort.optional().describe(
    `${sortNames.join(', ')}, with \`-\` before it for the other direction; \`deviceId\` where it is not given. ` +
    'Sorted by `lastSeenAt`, a device that reports between two pages changes its place.'),
  limit: limit(PAGE),
  cursor: cursorParameter.optional(),
});

type Parameters = z.infer<typeof parameters>;

const listSchema = z
  .object({
    items: z.array(deviceSchema),
    next: nextSchema,
    total: z.number().nullable().describe('Devices on all pages; null on the pages after the first.'),
  })
  .meta({ id: 'DeviceList', description: 'A page of devices.' });

/** The sort, the value and the id of the last device of a page. */
const place = z.tuple([sort, z.string().max(1_000), z.string().regex(/^\d{1,18}$/)]);

function sortOf(wanted: z.infer<typeof sort>): { name: SortName; isDescending: boolean } {
  const isDescending = wanted.startsWith('-');
  return { name: (isDescending ? wanted.slice(1) : wanted) as SortName, isDescending };
}

function conditionsOf(asked: Parameters, filter: DeviceFilter, onlineSince: string, values: StatementValues): string[] {
  return [
    ...isVisible(filter, values),
    ...(asked.q === undefined ? [] : [contains(asked.q, values)]),
    ...(asked.group === undefined ? [] : [isInGroup(asked.group, values)]),
    ...(asked.status === undefined ? [] : [`${statusOf(onlineSince)} = ${values.bind(asked.status, 'text')}`]),
  ];
}

/** From behind the place of the cursor on. */
function isBehind(cursor: string, wanted: z.infer<typeof sort>, values: StatementValues): string {
  const [sorted, key, id] = decodeCursor(cursor, place);
  if (sorted !== wanted) throw invalidParameter('cursor', `it is of the sort ${sorted}`);
  const { name, isDescending } = sortOf(wanted);
  const { sql, type } = SORTS[name];
  if (type === 'bigint' && !/^-?\d{1,18}$/.test(key) || key.includes('\0')) {
    throw invalidParameter('cursor', 'not the `next` of an answer to this question');
  }
  return `(${sql}, d.id) ${isDescending ? '<' : '>'} (${values.bind(key, type)}, ${values.bind(id, 'bigint')})`;
}

interface Page {
  readonly question: Question;
  readonly write: ReturnType<typeof deviceColumns>['write'];
}

/** One row more than the page has; the value that is sorted by and the id come last. */
function pageOf(asked: Parameters, filter: DeviceFilter, { onlineMs, size }: { onlineMs: number; size: number }): Page {
  const values = new StatementValues();
  const onlineSince = bindOnlineSince(values, onlineMs);
  const wanted = asked.sort ?? 'deviceId';
  const { name, isDescending } = sortOf(wanted);
  const key = SORTS[name].sql;
  const conditions = conditionsOf(asked, filter, onlineSince, values);
  if (asked.cursor !== undefined) conditions.push(isBehind(asked.cursor, wanted, values));
  const { sql, write } = deviceColumns(onlineSince);
  const direction = isDescending ? 'desc' : 'asc';
  const statement = `
    select ${sql}, (${key})::text, d.id::text from ${DEVICES} ${whereOf(conditions)}
    order by ${key} ${direction}, d.id ${direction} limit ${values.bind(size + 1, 'bigint')}`;
  return { question: { name: 'devices', text: statement, values: values.list }, write };
}

async function totalOf(
  { database, settings }: QueryParts,
  asked: Parameters,
  filter: DeviceFilter,
  signal: AbortSignal,
): Promise<number> {
  const values = new StatementValues();
  // A value that no condition refers to is an error of the statement.
  const onlineSince = asked.status === undefined ? 'now()' : bindOnlineSince(values, settings.QUERY_ONLINE_MS);
  const where = whereOf(conditionsOf(asked, filter, onlineSince, values));
  const statement = `select count(*) as total from ${DEVICES} ${where}`;
  const [row] = await database.ask<{ total: number }>(
    { name: 'devices-total', text: statement, values: values.list }, signal);
  return row?.total ?? 0;
}

export function deviceListRoutes(parts: QueryParts): ApiRoutes {
  return async (api) => {
    api.route({
      method: 'GET',
      url: '/v1/devices',
      config: { scope: 'read' },
      schema: {
        operationId: 'listDevices', tags: ['Devices'], summary: 'Devices', querystring: parameters,
        response: { 200: listSchema, ...UNCHANGED_RESPONSE, ...PROBLEM_RESPONSES },
      },
      handler: async (request, reply) => {
        const { query: asked } = request;
        const signal = clientSignal(reply);
        const filter = await parts.visible.filter(request.caller);
        if (asked.group !== undefined) await checkGroups(request.caller, [asked.group]);
        const size = asked.limit ?? PAGE.default;
        const { question, write } = pageOf(asked, filter, { onlineMs: parts.settings.QUERY_ONLINE_MS, size });
        const found = await parts.database.askText(question, signal);
        const rows = found.slice(0, size);
        const last = found.length > size ? rows.at(-1) : undefined;
        const next = last === undefined ? null : encodeCursor([asked.sort ?? 'deviceId', ...last.slice(-2)]);
        const total = asked.cursor === undefined ? await totalOf(parts, asked, filter, signal) : null;
        linkNext(request, reply, next);
        const answer = answerOfPage('{"items":[', rows.map(write), next, `,"total":${total}`);
        return sendAnswer(request, reply, 'json', answer) as never;
      },
    });
  };
}
