/** `GET /v1/devices/{deviceId}`: one device with its newest state. */
import { UNCHANGED_RESPONSE } from '../../http/etag.ts';
import { PROBLEM_RESPONSES, Problem } from '../../http/problem.ts';
import type { ApiRoutes } from '../../http/routes.ts';
import { clientSignal, sendText } from '../answer.ts';
import type { Question } from '../database.ts';
import { deviceParameters } from '../parameters.ts';
import type { QueryParts } from '../parts.ts';
import { StatementValues } from '../statement-values.ts';
import { DEVICES, bindOnlineSince, deviceColumns, deviceSchema } from './device-schema.ts';

/** A device that is not there and one that is not granted look the same. */
export function noSuchDevice(deviceId: string): Problem {
  return new Problem('not_found', `there is no device ${deviceId}, or none that is granted`);
}

function deviceQuestion(id: string, onlineMs: number): { question: Question; write: ReturnType<typeof deviceColumns>['write'] } {
  const values = new StatementValues();
  const { sql, write } = deviceColumns(bindOnlineSince(values, onlineMs));
  const text = `select ${sql} from ${DEVICES} where d.id = ${values.bind(id, 'bigint')}`;
  return { question: { name: 'device', text, values: values.list }, write };
}

export function deviceRoutes({ database, visible, settings }: QueryParts): ApiRoutes {
  return async (api) => {
    api.route({
      method: 'GET',
      url: '/v1/devices/:deviceId',
      config: { scope: 'read' },
      schema: {
        operationId: 'getDevice', tags: ['Devices'], summary: 'A device', params: deviceParameters,
        response: { 200: deviceSchema, ...UNCHANGED_RESPONSE, ...PROBLEM_RESPONSES },
      },
      handler: async (request, reply) => {
        const { deviceId } = request.params;
        const signal = clientSignal(reply);
        const device = await visible.find(request.caller, deviceId, signal);
        if (device === null) throw noSuchDevice(deviceId);
        const { question, write } = deviceQuestion(device.id, settings.QUERY_ONLINE_MS);
        const [row] = await database.askText(question, signal);
        if (row === undefined) throw noSuchDevice(deviceId);
        return sendText(request, reply, 'json', `${write(row)}\n`) as never;
      },
    });
  };
}
