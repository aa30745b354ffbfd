/** Viewers in a process of their own, from the side of the benchmark. */
import { Forked } from '../support/forked.ts';
import type { ViewersAnswer, ViewersCommand } from './viewers-protocol.ts';

export class Viewers extends Forked<ViewersCommand, ViewersAnswer> {
  constructor() {
    super(new URL('viewers-process.ts', import.meta.url));
  }
}
