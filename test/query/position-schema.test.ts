import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { position } from '../../src/live/messages/protocol.ts';
import { FIELD_NAMES } from '../../src/query/formats/columns.ts';
import { chosenLatestPositionSchema, chosenPositionSchema, latestPositionSchema, positionSchema } from '../../src/query/position-schema.ts';

/** Names and types, without what is said about them. */
function shapeOf({ shape }: z.ZodObject): unknown {
  const types = Object.entries(shape).map(([name, type]) => [name, z.toJSONSchema(type as z.ZodType)]);
  return JSON.parse(JSON.stringify(Object.fromEntries(types), (key, value: unknown) =>
    (key === 'description' ? undefined : value)));
}

describe('a position of the API', () => {
  it('has the fields of a position of the live feed, with their types', () => {
    expect(shapeOf(latestPositionSchema)).toEqual(shapeOf(position));
  });

  it('has, of now as of a history, all that can be asked for', () => {
    const asked = [...FIELD_NAMES].toSorted();
    expect(Object.keys(chosenPositionSchema.shape).toSorted()).toEqual(asked);
    expect(Object.keys(chosenLatestPositionSchema.shape).toSorted()).toEqual([...asked, 'fixTs'].toSorted());
  });

  it('has every field that can be asked for but the time as text', () => {
    expect(FIELD_NAMES.filter((name) => name !== 'time').toSorted()).toEqual(Object.keys(positionSchema.shape).toSorted());
  });
});
