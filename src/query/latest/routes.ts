/** `GET /v1/positions/latest`: where devices are: some, those of a group, those in an area, or all that are granted. */
import { z } from 'zod';
import { UNCHANGED_RESPONSE } from '../../http/etag.ts';
import { NOT_ACCEPTABLE_RESPONSE, PROBLEM_RESPONSES } from '../../http/problem.ts';
import type { ApiRoutes } from '../../http/routes.ts';
import { clientSignal, linkNext, sendAnswer } from '../answer.ts';
import type { Answer } from '../cache/answer.ts';
import { answerOfPage } from '../cache/answer.ts';
import { Flights } from '../cache/flights.ts';
import { cursorParameter, decodeCursor, encodeCursor, invalidParameter, nextSchema } from '../cursor.ts';
import { problemOf } from '../database-problem.ts';
import type { Question, TextRow } from '../database.ts';
import { isInGroup, isVisible, whereOf } from '../devices/conditions.ts';
import { fieldsParameter } from '../formats/chosen-fields.ts';
import type { PlacedColumn } from '../formats/columns.ts';
import { select } from '../formats/columns.ts';
import { jsonPageSql, readJsonPage } from '../formats/json-page.ts';
import { objectSql } from '../formats/json-sql.ts';
import { featureWriter } from '../formats/json.ts';
import { negotiate } from '../formats/negotiation.ts';
import { commaSeparated, deviceId, groupId, limit } from '../parameters.ts';
import type { QueryParts } from '../parts.ts';
import { chosenLatestPositionSchema, featureCollectionSchema } from '../position-schema.ts';
import { StatementValues } from '../statement-values.ts';
import type { DeviceFilter } from '../visible-devices.ts';
import { checkGroups } from '../visible-groups.ts';
import { bboxParameter, circleParameter, isInBox, isInCircle, isInPolygon, polygonParameter } from './area.ts';
import { latestColumns } from './latest-columns.ts';

const PAGE = { default: 1_000, max: 10_000 };
const MAX_DEVICES = 1_000;

const parameters = z.object({
  devices: commaSeparated(MAX_DEVICES).optional().describe(
    `Up to ${MAX_DEVICES} identifiers, separated by commas. Those that do not exist or are not granted are not in the answer.`),
  device: z.union([deviceId, z.array(deviceId).max(MAX_DEVICES)], { error: `expected an identifier, once or up to ${MAX_DEVICES} times` }).optional()
    .describe('One identifier, such as one with a comma in it; may be there several times.'),
  group: groupId.optional().describe('Only members of the group with this id at the moment.'),
  bbox: bboxParameter.optional(),
  circle: circleParameter.optional(),
  polygon: polygonParameter.optional(),
  fields: fieldsParameter.optional(),
  format: z.enum(['json', 'geojson']).optional().describe('Goes before `Accept`.'),
  limit: limit(PAGE),
  cursor: cursorParameter.optional(),
});

type Parameters = z.infer<typeof parameters>;

const listSchema = z
  .object({
    items: z.array(chosenLatestPositionSchema),
    next: nextSchema,
  })
  .meta({ id: 'LatestPositions', description: 'A page of positions.' });

const LATEST = {
  description: 'The newest positions, in the order in which devices were registered.',
  content: { 'application/json': { schema: listSchema }, 'application/geo+json': { schema: featureCollectionSchema } },
};

/** The id of the last device of a page. */
const place = z.tuple([z.string().regex(/^\d{1,18}$/)]);

const AREAS = { bbox: isInBox, circle: isInCircle, polygon: isInPolygon } as const;

function areaOf(asked: Parameters, values: StatementValues): string[] {
  const wanted = (Object.keys(AREAS) as (keyof typeof AREAS)[]).filter((name) => asked[name] !== undefined);
  const [, second] = wanted;
  if (second !== undefined) throw invalidParameter(second, `one area at a time, and there is ${wanted[0]} already`);
  return wanted.map((name) => AREAS[name](asked[name] ?? [], values));
}

/** Identifiers that are asked for; null: whatever devices there are. */
function wantedDevices({ devices, device }: Parameters): string[] | null {
  if (devices === undefined && device === undefined) return null;
  return [...(devices ?? []), ...[device ?? []].flat()];
}

/** Features have a place, whether it was asked for or not. */
function fieldsOf(fields: readonly string[] | undefined, format: 'json' | 'geojson'): readonly string[] | undefined {
  if (fields === undefined || format === 'json') return fields;
  return [...new Set([...fields, 'latitude', 'longitude', 'altitude'])];
}

interface Page {
  readonly question: Question;
  readonly answerOf: (rows: readonly TextRow[]) => Answer;
}

/** @param end of a page that is not the last: a row with the id of its last device at the end */
function nextOf(end: TextRow | null): string | null {
  return end === null ? null : encodeCursor([end.at(-1) ?? null]);
}

function jsonAnswer(found: readonly TextRow[]): Answer {
  const { items, end } = readJsonPage(found);
  return answerOfPage('{"items":[', items, nextOf(end));
}

/** Of one row more than the page has. */
function geojsonAnswer(columns: readonly PlacedColumn[], found: readonly TextRow[], size: number): Answer {
  const rows = found.slice(0, size);
  const end = found.length > size ? rows.at(-1) ?? null : null;
  return answerOfPage('{"type":"FeatureCollection","features":[', rows.map(featureWriter(columns)), nextOf(end));
}

function conditionsOf(asked: Parameters, filter: DeviceFilter, values: StatementValues): string[] {
  const wanted = wantedDevices(asked);
  const conditions = [
    ...isVisible(filter, values),
    ...(wanted === null ? [] : [`d.unique_id = any(${values.bind(wanted, 'text[]')})`]),
    ...(asked.group === undefined ? [] : [isInGroup(asked.group, values)]),
    ...areaOf(asked, values),
  ];
  if (asked.cursor !== undefined) {
    conditions.push(`d.id > ${values.bind(decodeCursor(asked.cursor, place)[0], 'bigint')}`);
  }
  return conditions;
}

function pageOf(asked: Parameters, filter: DeviceFilter, format: 'json' | 'geojson', size: number): Page {
  const values = new StatementValues();
  const conditions = conditionsOf(asked, filter, values);
  const chosen = latestColumns(fieldsOf(asked.fields, format), values);
  const rowsOf = (sql: string): string => `
    select ${sql}, d.id
    from devices d join device_state s on s.device_id = d.id ${whereOf(conditions)}
    order by d.id limit ${values.bind(size + 1, 'bigint')}`;
  if (format === 'json') {
    const sql = rowsOf(`${objectSql(chosen, values)} as json`);
    const text = jsonPageSql({ sql, limit: values.bind(size, 'bigint'), order: 'id', place: [{ column: 'id' }] });
    return { question: { name: 'latest', text, values: values.list }, answerOf: jsonAnswer };
  }
  const { columns, sql } = select(chosen);
  return {
    question: { name: 'latest', text: rowsOf(sql), values: values.list },
    answerOf: (found) => geojsonAnswer(columns, found, size),
  };
}

export function latestRoutes({ database, visible }: QueryParts): ApiRoutes {
  const flights = new Flights<Answer>();
  return async (api) => {
    api.route({
      method: 'GET',
      url: '/v1/positions/latest',
      config: { scope: 'read' },
      schema: {
        operationId: 'getLatestPositions', tags: ['Positions'], summary: 'Newest positions of many devices',
        description: 'The newest record of each device at its last known place, as the live feed shows it. Conditions are all to be met.',
        querystring: parameters,
        response: { 200: LATEST, ...UNCHANGED_RESPONSE, ...NOT_ACCEPTABLE_RESPONSE, ...PROBLEM_RESPONSES },
      },
      handler: async (request, reply) => {
        const { query: asked } = request;
        const signal = clientSignal(reply);
        const format = negotiate(asked.format, request.headers.accept, ['json', 'geojson']);
        const size = asked.limit ?? PAGE.default;
        const filter = await visible.filter(request.caller);
        if (asked.group !== undefined) await checkGroups(request.caller, [asked.group]);
        const page = pageOf(asked, filter, format, size);
        // Maps of many people ask for the same at the same time. What the caller sees is among the values.
        const key = JSON.stringify([format, page.question.text, page.question.values]);
        const { result } = await flights
          .join(key, signal, async (abandoned) => page.answerOf(await database.askText(page.question, abandoned)))
          .catch((error: unknown) => { throw problemOf(error, signal); });
        linkNext(request, reply, result.next);
        return sendAnswer(request, reply, format, result) as never;
      },
    });
  };
}
