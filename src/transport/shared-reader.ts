/** Most bytes that are read from a socket at once: a live batch usually comes whole. */
const BUFFER_BYTES = 256 * 1024;

/** Made when the first socket needs it. */
let shared: Buffer | null = null;

/**
 * Reads sockets into one buffer for all of them, given to a socket as its `onread`: nothing is allocated for what comes
 * in. What has come is good only until the call in which it is given out returns.
 */
export class SharedReader {
  readonly buffer: Buffer = (shared ??= Buffer.allocUnsafeSlow(BUFFER_BYTES));
  #take: (buffer: Uint8Array, bytes: number) => void = () => undefined;

  /** The one listener, for the first `bytes` of the buffer; to be there before the socket reads. */
  onBytes(take: (buffer: Uint8Array, bytes: number) => void): void {
    this.#take = take;
  }

  /** What the socket calls. */
  readonly callback = (bytes: number, buffer: Uint8Array): boolean => {
    this.#take(buffer, bytes);
    return true;
  };
}
