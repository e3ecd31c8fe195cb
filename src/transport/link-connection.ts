import type { LinkMessage } from '../protocol/link/messages.ts';

/** One established, authenticated link that carries messages. Made by `dialLink` and `listenForLinks` in this folder. */
export interface LinkConnection {
  /** For logs: address and, with TLS, the name in the peer's certificate. */
  readonly peer: string;
  /** Name in the peer's certificate; null on plain-text links. */
  readonly identity: string | null;
  /** Queues a message; returns false when the socket's buffer is full (wait for `onDrain`). Ignored after close. */
  send(message: LinkMessage): boolean;
  /** Bytes queued and not yet taken by the kernel. */
  readonly queuedBytes: number;
  onMessage(listener: (message: LinkMessage) => void): void;
  onDrain(listener: () => void): void;
  /** Called once, with the reason. */
  onClose(listener: (reason: string) => void): void;
  /** Stops taking messages from the socket until `resume`. */
  pause(): void;
  resume(): void;
  close(reason: string): void;
}
