/** The replies of one connection: they leave in the order of their frames, each once its frame is durable. */

interface Place {
  readonly send: () => void;
  isReleased: boolean;
}

export class ReplyQueue {
  readonly #places: Place[] = [];

  /** Frames whose reply has not left. */
  get length(): number {
    return this.#places.length;
  }

  /**
   * Takes the place behind the replies of all earlier frames.
   * @returns a function that says: the frame is durable. `send` is called once those before it have been sent.
   */
  reserve(send: () => void): () => void {
    const place: Place = { send, isReleased: false };
    this.#places.push(place);
    return () => {
      place.isReleased = true;
      while (this.#places[0]?.isReleased === true) this.#places.shift()?.send();
    };
  }
}
