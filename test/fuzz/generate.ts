/** Makes cases of a protocol without end: the same seed gives the same cases. */
import type { Protocol } from '../../src/protocols/protocol.ts';
import { Random, mix } from '../../src/simulator/random.ts';
import type { FuzzCase, Way } from './case.ts';
import { mutate, noise } from './mutate.ts';
import { REPAIRS } from './repair.ts';
import type { Seeds } from './seeds.ts';
import { seedsOf } from './seeds.ts';

/** Shares of a hundred. */
const NOISE = 5;
const UNREPAIRED = 15;
const AS_STREAM = 25;

export class Generator {
  readonly #protocol: Protocol;
  readonly #random: Random;
  readonly #seeds: Seeds;
  constructor(protocol: Protocol, seed: number) {
    this.#protocol = protocol;
    this.#random = new Random(mix(seed, protocol.name.length));
    this.#seeds = seedsOf(protocol);
  }

  next(): FuzzCase {
    const random = this.#random;
    const way = this.#way();
    const bytes = way === 'stream' ? this.#stream() : this.#unit(way === 'datagram' ? 'datagram' : 'frame');
    return { protocol: this.#protocol, way, bytes, cutSeed: random.integer(0, 0xffff_ffff) };
  }

  #is(percent: number): boolean {
    return this.#random.next() * 100 < percent;
  }

  #way(): Way {
    if (this.#is(AS_STREAM)) return 'stream';
    return this.#protocol.handleDatagram !== undefined && this.#is(30) ? 'datagram' : 'frame';
  }

  /** Some frames in a row, spoiled or not, mostly behind a login, without which nothing else is read. */
  #stream(): Buffer {
    const random = this.#random;
    const { login } = REPAIRS[this.#protocol.name] ?? {};
    const units = login !== undefined && this.#is(90) ? [login] : [];
    for (let count = random.integer(1, 4); count > 0; count -= 1) {
      units.push(this.#is(40) ? random.pick(this.#seeds.frames) : this.#unit('frame'));
    }
    return Buffer.concat(units);
  }

  #unit(kind: 'frame' | 'datagram'): Buffer {
    const random = this.#random;
    if (this.#is(NOISE)) return noise(random.integer(0, 200), random);
    const all = kind === 'frame' ? this.#seeds.frames : this.#seeds.datagrams;
    const mutated = mutate(random.pick(all), random, all);
    const repair = REPAIRS[this.#protocol.name]?.[kind];
    return repair === undefined || this.#is(UNREPAIRED) ? mutated : repair(mutated, random);
  }
}
