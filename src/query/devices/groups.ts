/**
 * `GET /v1/groups`: the groups that are granted to the caller, or that the authority says he may read, with the number
 * of devices in them that he sees.
 */
import { z } from 'zod';
import { UNCHANGED_RESPONSE } from '../../http/etag.ts';
import { PROBLEM_RESPONSES } from '../../http/problem.ts';
import type { ApiRoutes } from '../../http/routes.ts';
import { clientSignal, linkNext, sendAnswer } from '../answer.ts';
import { answerOfPage } from '../cache/answer.ts';
import { cursorParameter, decodeCursor, encodeCursor, nextSchema } from '../cursor.ts';
import type { Question } from '../database.ts';
import { objectWriter } from '../formats/json.ts';
import { limit } from '../parameters.ts';
import type { QueryParts } from '../parts.ts';
import { StatementValues } from '../statement-values.ts';
import type { DeviceFilter } from '../visible-devices.ts';
import { groupReachOf, readableAfter } from '../visible-groups.ts';
import { isVisible, whereOf } from './conditions.ts';

const PAGE = { default: 100, max: 1_000 };

const parameters = z.object({ limit: limit(PAGE), cursor: cursorParameter.optional() });

const listSchema = z
  .object({
    items: z.array(z.object({
      id: z.uuid(),
      name: z.string().describe('For people.'),
      kind: z.string().describe("`fleet`, `event`, or a word of the operator's own."),
      devices: z.number().describe('Members at the moment that the caller sees.'),
    })),
    next: nextSchema,
  })
  .meta({ id: 'GroupList', description: 'A page of groups.' });

const place = z.tuple([z.uuid()]);

const WRITE = objectWriter([
  { name: 'id', kind: 'text', sql: '', at: 0 }, { name: 'name', kind: 'text', sql: '', at: 1 },
  { name: 'kind', kind: 'text', sql: '', at: 2 }, { name: 'devices', kind: 'integer', sql: '', at: 3 },
]);

/** @param groups null: all */
function groupsQuestion(
  groups: readonly string[] | null,
  filter: DeviceFilter,
  { after, size }: { readonly after: string | null; readonly size: number },
): Question {
  const values = new StatementValues();
  const visible = ['d.id = m.device_id', ...isVisible(filter, values)].join(' and ');
  const conditions = [
    ...(groups === null ? [] : [`g.id = any(${values.bind(groups, 'uuid[]')})`]),
    ...(after === null ? [] : [`g.id > ${values.bind(after, 'uuid')}`]),
  ];
  const text = `
    select g.id::text, g.name, g.kind, (
      select count(*) from group_devices m join devices d on ${visible}
      where m.group_id = g.id and m.valid_from <= now() and (m.valid_to is null or m.valid_to > now()))
    from groups g ${whereOf(conditions)} order by g.id limit ${values.bind(size + 1, 'bigint')}`;
  return { name: 'groups', text, values: values.list };
}

export function groupRoutes({ database, visible }: QueryParts): ApiRoutes {
  return async (api) => {
    api.route({
      method: 'GET',
      url: '/v1/groups',
      config: { scope: 'read' },
      schema: {
        operationId: 'listGroups', tags: ['Devices'], summary: 'Groups', querystring: parameters,
        description: 'Groups that are granted; with Directus as the authority those that it lets the caller read. Where it refuses ' +
          'very many, a page may be short, or empty, and not the last: `next` says.',
        response: { 200: listSchema, ...UNCHANGED_RESPONSE, ...PROBLEM_RESPONSES },
      },
      handler: async (request, reply) => {
        const signal = clientSignal(reply);
        const { limit: size = PAGE.default, cursor } = request.query;
        const after = cursor === undefined ? null : decodeCursor(cursor, place)[0];
        const filter = await visible.filter(request.caller);
        const reach = groupReachOf(request.caller);
        const { ids, upTo } = typeof reach === 'function'
          ? await readableAfter(database, reach, { after, size: size + 1 }, signal)
          : { ids: reach, upTo: null };
        const found = await database.askText(groupsQuestion(ids, filter, { after, size }), signal);
        const rows = found.slice(0, size);
        const last = found.length > size ? rows.at(-1)?.[0] ?? null : upTo;
        const next = last === null ? null : encodeCursor([last]);
        linkNext(request, reply, next);
        return sendAnswer(request, reply, 'json', answerOfPage('{"items":[', rows.map(WRITE), next)) as never;
      },
    });
  };
}
