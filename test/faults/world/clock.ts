/**
 * Loaded into a process before anything else: a wall clock that can jump. On SIGUSR2 it is set off by the milliseconds
 * that are written in the file CLOCK_OFFSET_FILE. As in life, timers and `performance.now()` notice nothing.
 */
import { readFileSync } from 'node:fs';

const RealDate = Date;
let offsetMs = 0;

class JumpingDate extends RealDate {
  constructor(...given: [] | [number | string | Date]) {
    super(...(given.length === 0 ? [JumpingDate.now()] : given) as [number]);
  }

  static override now(): number {
    return RealDate.now() + offsetMs;
  }
}

globalThis.Date = JumpingDate as DateConstructor;
process.on('SIGUSR2', () => { offsetMs = Number(readFileSync(process.env.CLOCK_OFFSET_FILE ?? '', 'utf8')); });
