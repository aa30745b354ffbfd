/** A binary heap of points by area, the smallest first, in which the area of a point can change. */
export class PointHeap {
  readonly #areas: Float64Array;
  /** Points by place in the heap, and places by point. */
  readonly #points: Int32Array;
  readonly #places: Int32Array;
  #size = 0;

  constructor(capacity: number) {
    this.#areas = new Float64Array(capacity);
    this.#points = new Int32Array(capacity);
    this.#places = new Int32Array(capacity);
  }

  add(index: number, area: number): void {
    this.#areas[index] = area;
    this.#put(index, this.#size);
    this.#size += 1;
    this.#rise(this.#size - 1);
  }

  /** Takes out the point with the smallest area. @throws Error when there is none */
  take(): { readonly index: number; readonly area: number } {
    if (this.#size === 0) throw new Error('no point is left');
    const index = this.#at(0);
    this.#size -= 1;
    if (this.#size > 0) {
      this.#put(this.#at(this.#size), 0);
      this.#sink(0);
    }
    return { index, area: this.#areaOf(index) };
  }

  /** A point that is in the heap has another area now. */
  change(index: number, area: number): void {
    this.#areas[index] = area;
    const place = this.#places[index] ?? 0;
    this.#rise(place);
    this.#sink(this.#places[index] ?? 0);
  }

  #at(place: number): number {
    return this.#points[place] ?? 0;
  }

  #areaOf(index: number): number {
    return this.#areas[index] ?? 0;
  }

  #areaAt(place: number): number {
    return this.#areaOf(this.#at(place));
  }

  #put(index: number, place: number): void {
    this.#points[place] = index;
    this.#places[index] = place;
  }

  #rise(from: number): void {
    const index = this.#at(from);
    let place = from;
    while (place > 0) {
      const parent = (place - 1) >> 1;
      if (this.#areaAt(parent) <= this.#areaOf(index)) break;
      this.#put(this.#at(parent), place);
      place = parent;
    }
    this.#put(index, place);
  }

  #sink(from: number): void {
    const index = this.#at(from);
    let place = from;
    for (;;) {
      let child = 2 * place + 1;
      if (child >= this.#size) break;
      if (child + 1 < this.#size && this.#areaAt(child + 1) < this.#areaAt(child)) child += 1;
      if (this.#areaAt(child) >= this.#areaOf(index)) break;
      this.#put(this.#at(child), place);
      place = child;
    }
    this.#put(index, place);
  }
}
