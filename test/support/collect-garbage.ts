/** Collects garbage at once. */
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';

setFlagsFromString('--expose-gc');

/** Of the whole heap, unless told otherwise. */
export const collectGarbage = runInNewContext('gc') as (options?: { readonly type: 'minor' | 'major' }) => void;
