/** `GET /v1/devices/{deviceId}/positions`: what a device has reported, as pages of JSON or as a file. */
import type { FastifyReply, FastifyRequest } from 'fastify';
import { z } from 'zod';
import { UNCHANGED_RESPONSE } from '../../http/etag.ts';
import { NOT_ACCEPTABLE_RESPONSE, PROBLEM_RESPONSES } from '../../http/problem.ts';
import type { ApiRoutes } from '../../http/routes.ts';
import { clientSignal, linkNext, sendAnswer, sendDownload } from '../answer.ts';
import type { Answer } from '../cache/answer.ts';
import { answerOfPage } from '../cache/answer.ts';
import { nextSchema } from '../cursor.ts';
import type { TextRow } from '../database.ts';
import { noSuchDevice } from '../devices/device.ts';
import { StatementValues } from '../statement-values.ts';
import type { PlacedColumn } from '../formats/columns.ts';
import { csv } from '../formats/csv.ts';
import type { Format } from '../formats/format.ts';
import { gpx } from '../formats/gpx.ts';
import { geojson, ndjson, objectWriter } from '../formats/json.ts';
import { readJsonPage } from '../formats/json-page.ts';
import { kml } from '../formats/kml.ts';
import { MEDIA_TYPES, negotiate } from '../formats/negotiation.ts';
import { deviceParameters } from '../parameters.ts';
import type { QueryParts } from '../parts.ts';
import { chosenPositionSchema, featureCollectionSchema } from '../position-schema.ts';
import type { VisibleDevice } from '../visible-devices.ts';
import type { Batches, Reading } from './batches.ts';
import { allRows, bestRows, withinTolerance } from './batches.ts';
import { downloadOf } from './download.ts';
import type { HistoryQuestion } from './question.ts';
import { historyCursor, historyParameters, questionOf } from './question.ts';
import type { Place } from './track.ts';
import { jsonPageQuestion, placeOf, trackColumns } from './track.ts';

/** What comes as a stream. */
const STREAMED = { ndjson, csv, geojson, gpx, kml } as const satisfies Record<string, Format>;
/** Formats that are files for other programs. */
const FILES: ReadonlySet<string> = new Set(['csv', 'gpx', 'kml']);

const pageSchema = z
  .object({
    from: z.number().describe('First instant of the range, epoch milliseconds.'),
    to: z.number().describe('First instant after the range, epoch milliseconds.'),
    items: z.array(chosenPositionSchema),
    next: nextSchema,
  })
  .meta({ id: 'History', description: 'A page of the history of a device.' });

const text = (description: string) => ({ schema: z.string().describe(description) });
const mediaOf = (name: keyof typeof MEDIA_TYPES): string => MEDIA_TYPES[name].split(';', 1)[0] ?? '';

const HISTORY = {
  description: 'Records of the range. `application/json` in pages, the others with everything.',
  content: {
    'application/json': { schema: pageSchema },
    [mediaOf('ndjson')]: text('A position as JSON on every line.'),
    [mediaOf('csv')]: text('A header, and a position on every line (RFC 4180).'),
    [mediaOf('geojson')]: { schema: featureCollectionSchema },
    [mediaOf('gpx')]: text('A track of GPX 1.1.'),
    [mediaOf('kml')]: text('Tracks of KML 2.2.'),
  },
};

function readingOf(
  { database }: QueryParts,
  { id, deviceId }: VisibleDevice,
  question: HistoryQuestion,
  { fixesOnly, signal }: { readonly fixesOnly: boolean; readonly signal: AbortSignal },
): Reading {
  const { fromMs, toMs, order, fields } = question;
  return { database, fields, signal, track: { id, deviceId, fromMs, toMs, order, fixesOnly } };
}

function columnsOf({ track, fields }: Reading): readonly PlacedColumn[] {
  return trackColumns(track, fields, new StatementValues()).columns;
}

/** Rows in the order asked for, simplified as asked for, from behind the cursor on. */
function batchesOf(reading: Reading, { after, simplify }: HistoryQuestion): Batches {
  if (simplify?.kind === 'points') return bestRows(reading, simplify.count);
  const rows = allRows(reading, { after });
  return simplify === null ? rows : withinTolerance(rows, simplify.metres);
}

/** Up to `limit` rows, and whether there are more. */
async function take(batches: Batches, limit: number): Promise<{ rows: readonly TextRow[]; hasMore: boolean }> {
  const rows: TextRow[] = [];
  for await (const batch of batches) {
    rows.push(...batch);
    if (rows.length > limit) return { rows: rows.slice(0, limit), hasMore: true };
  }
  return { rows, hasMore: false };
}

interface Page {
  /** JSON. */
  readonly items: readonly string[];
  /** The place of the last one where there are more. */
  readonly end: Place | null;
}

async function simplifiedPage(reading: Reading, question: HistoryQuestion): Promise<Page> {
  const { simplify } = question;
  const limit = simplify?.kind === 'points' ? simplify.count : question.limit;
  const { rows, hasMore } = await take(batchesOf(reading, question), limit);
  const last = rows.at(-1);
  const items = rows.map(objectWriter(columnsOf(reading)));
  return { items, end: hasMore && last !== undefined ? placeOf(last) : null };
}

async function wholePage(
  { database, track, fields, signal }: Reading, { after, limit }: HistoryQuestion,
): Promise<Page> {
  const question = jsonPageQuestion(track, fields, { after, limit });
  const { items, end } = readJsonPage(await database.askText(question, signal));
  return { items, end: end === null ? null : placeOf(end) };
}

async function pageOf(reading: Reading, question: HistoryQuestion): Promise<Answer> {
  const { simplify, fromMs, toMs } = question;
  const { items, end } = await (simplify === null ? wholePage : simplifiedPage)(reading, question);
  const next = end === null ? null : historyCursor(end, question);
  return answerOfPage(`{"from":${fromMs},"to":${toMs},"items":[`, items, next);
}

interface HistoryRequest {
  readonly request: FastifyRequest;
  readonly reply: FastifyReply;
  readonly deviceId: string;
  readonly parameters: z.infer<typeof historyParameters>;
}

async function answerHistory(parts: QueryParts, asked: HistoryRequest): Promise<FastifyReply> {
  const { request, reply, deviceId, parameters } = asked;
  const signal = clientSignal(reply);
  const format = negotiate(parameters.format, request.headers.accept, ['json', 'ndjson', 'csv', 'geojson', 'gpx', 'kml']);
  const question = questionOf(parameters, format, Date.now());
  const device = await parts.visible.find(request.caller, deviceId, signal);
  if (device === null) throw noSuchDevice(deviceId);
  const fixesOnly = question.simplify !== null || format === 'gpx' || format === 'kml';
  const reading = readingOf(parts, device, question, { fixesOnly, signal });
  if (format === 'json') {
    const answer = await pageOf(reading, question);
    linkNext(request, reply, answer.next);
    return sendAnswer(request, reply, 'json', answer);
  }
  const writer = STREAMED[format](columnsOf(reading), { deviceId, name: device.name ?? deviceId });
  const batches = batchesOf(reading, question);
  const documentParts = await downloadOf({ writer, format, batches, events: parts.events, signal });
  const day = (ms: number): string => new Date(ms).toISOString().slice(0, 10);
  const fileName = FILES.has(format) ? `${deviceId}-${day(question.fromMs)}-${day(question.toMs)}` : null;
  return sendDownload(reply, { format, fileName, parts: documentParts });
}

export function historyRoutes(parts: QueryParts): ApiRoutes {
  return async (api) => {
    api.route({
      method: 'GET',
      url: '/v1/devices/:deviceId/positions',
      config: { scope: 'read' },
      schema: {
        operationId: 'getPositions',
        tags: ['Positions'],
        summary: 'History of a device',
        description: 'The range is half-open: `from` belongs to it, `to` does not.',
        params: deviceParameters,
        querystring: historyParameters,
        response: { 200: HISTORY, ...UNCHANGED_RESPONSE, ...NOT_ACCEPTABLE_RESPONSE, ...PROBLEM_RESPONSES },
      },
      handler: (request, reply) => answerHistory(parts, {
        request, reply, deviceId: request.params.deviceId, parameters: request.query,
      }) as never,
    });
  };
}
