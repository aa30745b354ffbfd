/**
 * The name of an attribute whose name is taken: `io5`, then `io5_2`, `io5_3` … A frame can hold sixteen thousand
 * elements of one id, so it is remembered how far the numbers of a record have come: to try them all for each would
 * take seconds.
 */
import type { Attributes } from '../shared/model.ts';

/** Of records in the making: the last number given to a name. No more than a place to begin at. */
const lastNumbers = new WeakMap<Attributes, Map<string, number>>();

/** `name`, or the first of `name_2`, `name_3` … that is free. The caller sets it. */
export function freeName(attributes: Attributes, name: string): string {
  if (!attributes.has(name)) return name;
  const numbers = lastNumbers.get(attributes) ?? new Map<string, number>();
  lastNumbers.set(attributes, numbers);
  let number = numbers.get(name) ?? 1;
  if (number > 1 && !attributes.has(`${name}_${number}`)) number = 1;
  do number += 1; while (attributes.has(`${name}_${number}`));
  numbers.set(name, number);
  return `${name}_${number}`;
}
