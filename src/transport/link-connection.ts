import type { LinkMessage } from '../protocol/link/messages.ts';

/** One established, authenticated link that carries messages. Made by `dialLink` and `listenForLinks` in this folder. */
export interface LinkConnection {
  /** For logs: address and, with TLS, the name in the peer's certificate. */
  readonly peer: string;
  /** Name in the peer's certificate (`hsctl://CLUSTER/node/a`); null on plain-text links. */
  readonly identity: string | null;
  /**
   * Queues a message; false when enough is queued: send no more log bytes until `onDrain`. Small messages may still
   * be sent then. Log bytes are not copied, so they must not change before `queuedBytes` is 0. Ignored after close.
   */
  send(message: LinkMessage): boolean;
  /** Bytes queued and not yet taken by the kernel. */
  readonly queuedBytes: number;
  /** The one listener for messages; a later call replaces it. What comes before the first call is kept until then. */
  onMessage(listener: (message: LinkMessage) => void): void;
  /** Called each time that the queue has become empty after `send` returned false. */
  onDrain(listener: () => void): void;
  /** Each listener is called once, with the reason, whichever side closed; soon, if the link is closed already. */
  onClose(listener: (reason: string) => void): void;
  /** Delivers no more messages until `resume`, not even those that have come. */
  pause(): void;
  resume(): void;
  /** What was queued is still sent if the peer takes it within a second. Nothing is delivered any more. */
  close(reason: string): void;
}
