/** A position as the API shows it: that of the live protocol, field for field. */
import { z } from 'zod';

const attributeValue = z.union([
  z.number(), z.string(), z.boolean(),
  z.object({ __bigint: z.string() }).describe('An integer beyond ±(2^53−1).'),
  z.object({ __buffer_b64: z.string() }).describe('A byte string.'),
]);

const degrees = z.number().nullable();

export const positionSchema = z
  .object({
    deviceId: z.string().describe("The tracker's own identifier, such as its IMEI."),
    ts: z.number().describe("Time of the record by the tracker's clock, epoch milliseconds."),
    receivedAt: z.number().describe('When the record came in, epoch milliseconds.'),
    latitude: degrees.describe('Degrees, WGS84; null without a fix.'),
    longitude: degrees.describe('Degrees, WGS84; null without a fix.'),
    altitude: z.number().nullable().describe('Metres.'),
    course: z.number().nullable().describe('Degrees clockwise from north.'),
    speed: z.number().nullable().describe('km/h.'),
    satellites: z.number().nullable(),
    hdop: z.number().nullable(),
    valid: z.boolean().describe('The tracker says that it had a fix.'),
    priority: z.number().describe('As the tracker reported it; 0 where its protocol has none.'),
    eventId: z.number().describe('With `ts` it orders the records of a device.'),
    attributes: z.record(z.string(), attributeValue).describe('Everything else that the tracker reported, by name, in SI units.'),
  })
  .meta({ id: 'Position', description: 'One record of a tracker, the same as in the live feed.' });

const time = z.string().optional().describe('`ts` as ISO 8601, UTC.');

/** Of a history: what `fields` leaves out is not there, `time` is there when it is asked for. */
export const chosenPositionSchema = positionSchema
  .partial()
  .extend({ ts: positionSchema.shape.ts, time })
  .meta({ id: 'ChosenPosition', description: 'One record of a tracker, or those of its fields that were asked for.' });

/** Of now: the newest record, at the last known place. */
export const latestPositionSchema = positionSchema
  .extend({ fixTs: z.number().nullable().describe('The time of the coordinates, which are those of the newest record that has any. null: none ever had.') })
  .meta({ id: 'LatestPosition', description: 'The newest record of a device, at its last known place.' });

/** The same, but for what `fields` leaves out. */
export const chosenLatestPositionSchema = latestPositionSchema
  .partial()
  .extend({ ts: latestPositionSchema.shape.ts, fixTs: latestPositionSchema.shape.fixTs, time })
  .meta({ id: 'ChosenLatestPosition', description: 'The newest record of a device, or those of its fields that were asked for.' });

const featureSchema = z
  .object({
    type: z.literal('Feature'),
    geometry: z.object({ type: z.literal('Point'), coordinates: z.array(z.number()).min(2).max(3) }).nullable(),
    properties: z.record(z.string(), z.unknown()).describe('The fields of the position but for the place.'),
  });

/** RFC 7946. */
export const featureCollectionSchema = z
  .object({ type: z.literal('FeatureCollection'), features: z.array(featureSchema), next: z.string().nullable().optional() })
  .meta({ id: 'PositionFeatures', description: 'Positions as GeoJSON.' });
