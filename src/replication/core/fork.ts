import type { LogPosition, Reign } from '../../model/position.ts';

/**
 * Where two logs part. An epoch has one owner, who gives each seq once, so a record (epoch, seq) that both logs
 * hold is the same in both, and so is everything before it: the fork is the last such record. The histories alone
 * tell it, without looking at a single record.
 */
export type Fork =
  /** `hash`: rolling hash there, where an end's lies at the fork; null if neither does. Seq 0: nothing in common. */
  | { readonly kind: 'fork'; readonly epoch: number; readonly seq: number; readonly hash: number | null }
  /** The logs contradict the rule above: one was damaged or made up. Nothing may be cut or sent on their word. */
  | { readonly kind: 'conflict'; readonly reason: string };

/** Finds the fork of a log here and one at a peer, from what each says of itself. */
export function findFork(
  ownHistory: readonly Reign[],
  ownEnd: LogPosition,
  peerHistory: readonly Reign[],
  peerEnd: LogPosition,
): Fork {
  const wrong = whatIsWrong('our', ownHistory, ownEnd) ?? whatIsWrong("the peer's", peerHistory, peerEnd);
  if (wrong !== null) return { kind: 'conflict', reason: wrong };
  const shared = sharedReigns(ownHistory, peerHistory);
  const last = ownHistory[shared - 1];
  const stray = laterCommonEpoch(ownHistory.slice(shared), peerHistory.slice(shared));
  if (stray !== null) return { kind: 'conflict', reason: `epoch ${stray} is in both logs, with different pasts` };
  if (last === undefined) return { kind: 'fork', epoch: 0, seq: 0, hash: 0 };
  const seq = Math.min(lastSeqOf(shared - 1, ownHistory, ownEnd), lastSeqOf(shared - 1, peerHistory, peerEnd));
  const ownHash = seq === ownEnd.seq ? ownEnd.hash : null;
  const peerHash = seq === peerEnd.seq ? peerEnd.hash : null;
  if (ownHash !== null && peerHash !== null && ownHash !== peerHash) {
    return {
      kind: 'conflict',
      reason: `both logs end with record ${last.epoch}-${seq}, with different contents before it`,
    };
  }
  return { kind: 'fork', epoch: last.epoch, seq, hash: ownHash ?? peerHash };
}

/** Number of reigns, from the first, that both logs begin at the same record. */
function sharedReigns(own: readonly Reign[], peer: readonly Reign[]): number {
  const differs = own.findIndex(({ epoch, firstSeq }, index) => {
    return peer[index]?.epoch !== epoch || peer[index].firstSeq !== firstSeq;
  });
  return differs === -1 ? own.length : differs;
}

/** An epoch that is in both lists; null if there is none, as it has to be behind the fork. */
function laterCommonEpoch(own: readonly Reign[], peer: readonly Reign[]): number | null {
  const epochs = new Set(own.map((reign) => reign.epoch));
  return peer.find((reign) => epochs.has(reign.epoch))?.epoch ?? null;
}

function lastSeqOf(index: number, history: readonly Reign[], end: LogPosition): number {
  const next = history[index + 1];
  return next === undefined ? end.seq : next.firstSeq - 1;
}

function whatIsWrong(whose: string, history: readonly Reign[], end: LogPosition): string | null {
  const what = `${whose} log's history`;
  let before: Reign = { epoch: 0, firstSeq: 0 };
  for (const reign of history) {
    if (reign.epoch <= before.epoch || reign.firstSeq <= before.firstSeq) return `${what} is out of order`;
    before = reign;
  }
  const first = history[0]?.firstSeq ?? 1;
  if (first !== 1) return `${what} begins at record ${first}`;
  if (before.epoch !== end.epoch || before.firstSeq > end.seq) return `${what} does not lead to its end`;
  return history.length === 0 && end.seq > 0 ? `${what} is empty` : null;
}
