/**
 * Decoding Codec 8 Extended frames with twelve I/O elements a record, the checksum verified and the elements named,
 * next to npm complete-teltonika-parser. That one takes a frame in hexadecimal: the conversion is not counted against
 * it.
 */
import { FMB640Utils, ProtocolParser } from 'complete-teltonika-parser';
import type { Data } from 'complete-teltonika-parser';
import { teltonika } from '../../src/protocols/teltonika/index.ts';
import type { Benchmark, BenchOptions, Figure, Outcome, Ratio } from '../benchmark.ts';
import { takeTurns } from '../support/rounds.ts';
import { imeisOf, sampleFrame } from '../support/sample-frames.ts';
import { over } from '../support/statistics.ts';

/** Its declarations want a group `FMS` that its code does without. */
type Nameable = Parameters<typeof FMB640Utils.castAVLIDtoAVLName>[0];

const FRAMES = 500;
const ELEMENTS = 12;
const SESSION = { deviceId: imeisOf(1)[0] ?? null };

function odograph(frames: readonly Buffer[]): number {
  let records = 0;
  for (const frame of frames) {
    const handled = teltonika.handle(SESSION, frame, Date.now());
    if (handled.kind === 'accepted') records += handled.records.length;
  }
  return records;
}

function completeParser(frames: readonly string[]): number {
  let records = 0;
  for (const frame of frames) {
    const { AVL_Datas: data } = new ProtocolParser(frame).Content as Data;
    for (const { IOelement } of data) FMB640Utils.castAVLIDtoAVLName(IOelement.Elements as Nameable);
    records += data.length;
  }
  return records;
}

/** Records decoded in a second, from `work`, which decodes some and says how many. */
function perSecond(work: () => number, milliseconds: number): number {
  const startedAt = performance.now();
  let records = 0;
  let elapsed = 0;
  while (elapsed < milliseconds) {
    records += work();
    elapsed = performance.now() - startedAt;
  }
  return (records / elapsed) * 1_000;
}

/** @throws Error when one of the two does not read what was sent, so that nothing else is measured. */
function check(frame: Buffer): void {
  const handled = teltonika.handle(SESSION, frame, Date.now());
  const ours = handled.kind === 'accepted' ? handled.records[0] : undefined;
  const ourElements = ours?.attributes.size ?? 0;
  const [theirs] = (new ProtocolParser(frame.toString('hex')).Content as Data).AVL_Datas;
  const theirElements = Object.keys(theirs?.IOelement.Elements ?? {}).length;
  if (ourElements !== ELEMENTS || theirElements !== ELEMENTS) throw new Error(`${ourElements} and ${theirElements} elements of ${ELEMENTS}`);
}

async function run({ quick }: BenchOptions): Promise<Outcome> {
  const [rounds, milliseconds] = quick ? [3, 300] : [9, 1_000];
  const figures: Figure[] = [];
  const ratios: Ratio[] = [];
  for (const count of [1, 10]) {
    const frames = Array.from({ length: FRAMES }, (_, n) => sampleFrame(n, n * count, count));
    const hex = frames.map((frame) => frame.toString('hex'));
    check(frames[0] as Buffer);
    const { ours, theirs } = await takeTurns({
      ours: () => perSecond(() => odograph(frames), milliseconds),
      theirs: () => perSecond(() => completeParser(hex), milliseconds),
    }, rounds);
    figures.push({ name: `odograph, ${count} a frame`, unit: 'records/s', values: ours });
    figures.push({ name: `complete-teltonika-parser, ${count} a frame`, unit: 'records/s', values: theirs });
    const name = `decode, ${count} a frame ÷ complete-teltonika-parser`;
    ratios.push({ name, goal: 'at least 12', values: over(ours, theirs) });
  }
  return { figures, ratios };
}

export const decode: Benchmark = {
  name: 'decode',
  what: 'Teltonika Codec 8 Extended with 12 I/O elements, checksum and names included, on one CPU',
  run,
};
