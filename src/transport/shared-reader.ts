/** Most bytes that are read from a socket at once: a live batch usually comes whole. */
const BUFFER_BYTES = 256 * 1024;

/** Made when the first socket needs it. */
let shared: Buffer | null = null;

/**
 * Reads sockets into one buffer for all of them, given to a socket as its `onread`: nothing is allocated for what comes
 * in. A chunk is good only until the call in which it is given out returns.
 */
export class SharedReader {
  readonly buffer: Buffer = (shared ??= Buffer.allocUnsafeSlow(BUFFER_BYTES));
  #take: (chunk: Buffer) => void = () => undefined;

  /** The one listener; to be there before the socket reads. */
  onChunk(take: (chunk: Buffer) => void): void {
    this.#take = take;
  }

  /** What the socket calls. */
  readonly callback = (bytes: number, buffer: Uint8Array): boolean => {
    this.#take((buffer as Buffer).subarray(0, bytes));
    return true;
  };
}
