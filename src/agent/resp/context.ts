import type { Clock } from '../../kit/clock.ts';
import type { RateLimitedWarnings } from '../../kit/rate-limited-warnings.ts';
import type { NameTable } from '../../protocol/resp/name-table.ts';
import type { Replica } from '../../replication/replica.ts';
import type { AppObserver } from './app-observer.ts';
import type { Client } from './client.ts';
import type { Command } from './command.ts';
import type { InputBudget } from './input-budget.ts';
import type { News } from './news.ts';
import type { RoleNews } from '../../model/role-news.ts';
import type { NodeView } from './node-view.ts';

/** Limits on what clients may cost. */
export interface ClientLimits {
  readonly clients: number;
  /** Replies that may wait for one client before its further commands do. */
  readonly outputBytes: number;
  /** What all clients together may have sent of large commands that are not done yet. */
  readonly inputBytes: number;
  /** Seconds without progress after which a client that does not read its replies is dropped. */
  readonly unreadS: number;
}

/** What the connections of one service share. */
export interface ServiceContext {
  readonly replica: Replica;
  readonly node: NodeView;
  readonly observer: AppObserver;
  readonly clock: Clock;
  readonly warnings: RateLimitedWarnings;
  readonly limits: ClientLimits;
  /** Null: everyone who may open the socket may use it. */
  readonly password: string | null;
  readonly commandList: readonly Command[];
  readonly commands: NameTable<Command>;
  readonly clients: Map<number, Client>;
  /** Clients with replies that wait for a confirmation. */
  readonly waiting: Set<Client>;
  /** Clients with a write that waits for the gate. */
  readonly held: Set<Client>;
  readonly inputs: InputBudget;
  /** How many reigns ended here. */
  reignsLost: number;
  /** Announces confirmations. */
  readonly confirmed: News;
  role: RoleNews;
  readonly counts: { connections: number; commands: number; refused: number };
  /** Seconds since the service began. */
  seconds: number;
}
