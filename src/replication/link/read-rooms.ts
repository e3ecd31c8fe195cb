/** As many as are in use at once: read into, waiting, and going out with the end of the one before still queued. */
const ROOMS = 3;

interface Room {
  bytes: Uint8Array;
  busy: boolean;
  /** How many bytes the link had been given when the last one of this room was. */
  givenAt: number;
}

/**
 * Memory into which a feed reads the log, used again once the link has passed on what stood in it. The link passes on in
 * order; so what it still queues are the bytes that it was given last.
 */
export class ReadRooms {
  readonly #rooms: Room[] = [];

  /**
   * A free room of `length` bytes or more; undefined if there is none. The link was given `given` bytes, of which it queues
   * at most `queued`.
   */
  take(length: number, given: number, queued: number): Uint8Array | undefined {
    let room = this.#rooms.find(({ busy, givenAt }) => !busy && given - givenAt >= queued);
    if (room === undefined && this.#rooms.length < ROOMS) {
      room = { bytes: new Uint8Array(length), busy: false, givenAt: 0 };
      this.#rooms.push(room);
    }
    if (room === undefined) return undefined;
    if (room.bytes.length < length) room.bytes = new Uint8Array(length);
    room.busy = true;
    return room.bytes;
  }

  /** The feed does not need `bytes` any more. If they stand in a room, it is free once the link has passed on all of `given`. */
  leave(bytes: Uint8Array, given: number): void {
    const room = this.#rooms.find((one) => one.bytes.buffer === bytes.buffer);
    if (room === undefined) return;
    room.busy = false;
    room.givenAt = given;
  }
}
