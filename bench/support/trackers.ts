/** Trackers in a process of their own, from the side of the benchmark. */
import { Forked } from './forked.ts';
import type { TrackersAnswer, TrackersCommand } from './trackers-protocol.ts';

export class Trackers extends Forked<TrackersCommand, TrackersAnswer> {
  constructor() {
    super(new URL('trackers-process.ts', import.meta.url));
  }
}
