/** What `/api/positions` of Traccar answers: an array of positions. */
import type { Reader } from '../item.ts';
import { readElements } from './json-elements.ts';
import { TraccarPositions } from './traccar.ts';

export const traccarJson: Reader = (bytes, options) => {
  const positions = new TraccarPositions(options);
  return readElements(bytes, ['positions'], (position) => {
    const named = new Map(Object.entries(position).map(([name, value]) => [name.toLowerCase(), value]));
    return [positions.record(named)];
  });
};
