/** What the app watch learns from the RESP service of the app that is joined to it. */

/** A connection on which `HS APP` was said. */
export interface AppConnection {
  readonly id: number;
  /** As given with HS APP; empty if it was not. */
  readonly appName: string;
  /** Rises with every request on the connection: the app's heartbeat. */
  readonly requests: number;
  /**
   * The service does not read from it at present (a write is held, a reply waits to be read, a command blocks), so that
   * `requests` standing still says nothing.
   */
  readonly stalled: boolean;
}

/** Called at once and in order; must not throw. */
export interface AppObserver {
  appJoined(connection: AppConnection): void;
  /** The connection is closed, by whatever side: `reason` is for logs. */
  appLeft(connection: AppConnection, reason: string): void;
  /** HS READY: null if that is what was waited for, else the error for the app, with prefix (`ERR epoch 7 is over`). */
  appReady(epoch: number): string | null;
}
