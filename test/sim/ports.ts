/** Ports of every agent. */
export const CONTROL_PORT = 7401;
export const REPLICATION_PORT = 7402;
