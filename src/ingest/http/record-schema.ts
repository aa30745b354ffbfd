/**
 * A record as the OpenAPI document describes it. Requests are checked by `record.ts`, which is several times faster; a
 * test proves that both accept the same, time limits and sizes aside.
 */
import { z } from 'zod';
import { isStorableText } from '../../shared/text.ts';
import { DEVICE_ID, INSTANT, LEAST_PLAUSIBLE_MS, MAX_ATTRIBUTES, MAX_ATTRIBUTE_NAME_LENGTH, instantOf } from './record.ts';

/** What a column of type real can hold. */
const real = z.number().refine((value) => Number.isFinite(Math.fround(value))).nullish();

const BASE64 = /^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$/;

const LEAST_POWER = 1e21;

function isExact(value: number): boolean {
  return !Number.isInteger(value) || Number.isSafeInteger(value) || Math.abs(value) >= LEAST_POWER;
}

const attributeName = z.string().min(1).max(MAX_ATTRIBUTE_NAME_LENGTH).refine(isStorableText);

const attributeValue = z.union([
  z.number().refine(isExact),
  z.boolean(),
  z.string().refine(isStorableText),
  z.strictObject({ __bigint: z.string().regex(/^-?(?:0|[1-9]\d*)$/) }).describe('An integer beyond ±(2^53−1).'),
  z.strictObject({ __buffer_b64: z.string().regex(BASE64) }).describe('Bytes.'),
]);

const instant = z.union([
  z.int().refine((ms) => Math.abs(ms) >= LEAST_PLAUSIBLE_MS).describe('Epoch milliseconds. Below 10^11, which is 1973, they are taken for seconds and refused.'),
  z.string().regex(INSTANT).refine((value) => !Number.isNaN(instantOf(value))).describe('RFC 3339, with its zone.'),
]);

export const recordSchema = z.strictObject({
  deviceId: z.string().regex(DEVICE_ID).describe("The tracker's own identifier."),
  ts: instant.describe('When the sample was taken.').refine((value) => Math.abs(instantOf(value)) <= 8.64e15),
  latitude: z.number().min(-90).max(90).nullish().describe('Degrees, WGS84; with longitude or not at all.'),
  longitude: z.number().min(-180).max(180).nullish().describe('Degrees, WGS84.'),
  altitude: real.describe('Metres.'),
  course: real.describe('Degrees clockwise from north.'),
  speed: real.describe('km/h.'),
  satellites: z.int().min(0).max(32_767).nullish(),
  hdop: real,
  valid: z.boolean().optional().describe('The device says that it had a fix. Without it: whether there are coordinates.'),
  priority: z.int().min(-32_767).max(32_767).optional().describe('0 without it.'),
  eventId: z.int().min(-2_147_483_647).max(2_147_483_647).optional().describe('0 without it. Part of the key (deviceId, ts, eventId).'),
  attributes: z.record(attributeName, attributeValue).nullish()
    .refine((given) => Object.keys(given ?? {}).length <= MAX_ATTRIBUTES)
    .describe('Any other measurement by its name: a number, text, true or false, or a sentinel.'),
}).refine(({ latitude = null, longitude = null }) => (latitude === null) === (longitude === null))
  .describe('One sample of a device.');
