/** Where the agent serves: its unix socket, or a TCP endpoint. */
export type AgentEndpoint = { readonly socket: string } | { readonly host: string; readonly port: number };
