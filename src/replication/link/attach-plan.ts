import { LOG_START, type LogPosition } from '../../model/position.ts';
import type { Attach, PeerHello } from '../../protocol/link/messages.ts';
import { findFork } from '../core/fork.ts';
import type { Log } from '../log/log.ts';

/** Both sides' view of where the logs part, before anything is cut or sent. */

export type AttachPlan = { readonly attach: Attach } | { readonly conflict: string };

/** The master's side: what to tell a peer whose log is as its hello says. */
export function planAttach(log: Log, peer: PeerHello, epoch: number): AttachPlan {
  const { end, history } = log.state();
  const fork = findFork(history, end, peer.history, peer.end);
  if (fork.kind === 'conflict') return { conflict: fork.reason };
  const own = positionIn(log, fork.seq);
  const peers = fork.seq === peer.end.seq ? peer.end : null;
  if (own !== null && peers !== null && (own.hash !== peers.hash || own.epoch !== peers.epoch)) {
    return { conflict: `record ${fork.epoch}-${fork.seq} has different contents before it in the two logs` };
  }
  const position = own ?? peers;
  const fromNothing = peer.end.seq > 0 && (position === null || fork.seq === 0 || fork.seq < log.oldestResumable);
  return {
    attach: {
      type: 'attach',
      epoch,
      fork: position ?? { epoch: fork.epoch, seq: fork.seq, hash: 0 },
      end,
      catchUpBytes: Math.max(0, Math.round(log.bytesAfter(fromNothing ? 0 : fork.seq))),
      fromNothing,
      index: fromNothing || peer.end.seq === 0 ? indexOf(log) : null,
    },
  };
}

function indexOf(log: Log): Attach['index'] {
  const { store, key } = log.indexKey;
  return { name: store, secret: key, keys: log.count };
}

export type CutPlan =
  /** Nothing is behind the fork. */
  | { readonly kind: 'none' }
  | { readonly kind: 'cut'; readonly to: LogPosition }
  /** Start from nothing. `greetAgain`: the master does not know yet and has to be greeted with the empty log. */
  | { readonly kind: 'reset'; readonly greetAgain: boolean }
  /** What is on this disk is not what was written: it goes as a whole, and the master is greeted with the empty log. */
  | { readonly kind: 'repair' }
  | { readonly kind: 'conflict'; readonly reason: string };

/** The slave's side: what has to go from its log before it may take what the master sends. */
export function planCut(log: Log, attach: Attach): CutPlan {
  if (log.damage !== null) return { kind: 'repair' };
  const { fork, fromNothing } = attach;
  const { end } = log;
  if (fork.seq > end.seq) {
    return {
      kind: 'conflict',
      reason: `the master takes our log to reach record ${fork.seq}, it ends with ${end.seq}`,
    };
  }
  if (fromNothing) return end.seq === 0 ? { kind: 'none' } : { kind: 'reset', greetAgain: false };
  const own = positionIn(log, fork.seq);
  if (own === null) return { kind: 'reset', greetAgain: true };
  if (own.epoch !== fork.epoch || own.hash !== fork.hash) {
    const names = `${fork.epoch}-${fork.seq} with hash ${fork.hash}, here is ${own.epoch}-${own.seq} with hash ${own.hash}`;
    return { kind: 'conflict', reason: `the master takes the logs to part at ${names}` };
  }
  return fork.seq === end.seq ? { kind: 'none' } : { kind: 'cut', to: own };
}

/** The position at `seq`; null if it is not a batch boundary any more, or never was. */
function positionIn(log: Log, seq: number): LogPosition | null {
  if (seq === 0) return LOG_START;
  return seq === log.end.seq ? log.end : log.positionAt(seq);
}
