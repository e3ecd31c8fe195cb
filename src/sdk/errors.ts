/** What can become of a request, other than its reply. */

/** Nobody knows whether the write was done: the connection was lost, or the reign ended, before it was confirmed. */
export class IndeterminateError extends Error {
  override readonly name = 'IndeterminateError';
}

/** The agent did not do it, because its node does not serve now. Nothing was written. */
export class RefusedError extends Error {
  override readonly name = 'RefusedError';
  /** Name of the node that is master, if this one knows. */
  readonly master: string | null;

  constructor(message: string, master: string | null) {
    super(message);
    this.master = master;
  }
}

/** The request was never sent: no connection to the agent in time, too much waits already, or the client was closed. */
export class UnavailableError extends Error {
  override readonly name = 'UnavailableError';
}

/** The agent answered with an error; the message begins with its prefix, as in Redis. */
export class CommandError extends Error {
  override readonly name = 'CommandError';
}
