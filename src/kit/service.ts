/** The life cycle that every long-lived part of a daemon has. */
export interface Service {
  /** Works until `signal` aborts, then resolves once everything that it opened is closed. Rejects if it cannot go on. */
  run(signal: AbortSignal): Promise<void>;
}
