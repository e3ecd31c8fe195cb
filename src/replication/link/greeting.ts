import { LINK_VERSIONS, type PeerHello, type Refusal } from '../../protocol/link/messages.ts';

/** Why this node (`own`) has nothing to do with whoever said `peer`; null if it is the node named `expected`. */
export function greetingRefusal(own: PeerHello, peer: PeerHello, expected: string): Refusal | null {
  const refuse = (code: Refusal['code'], reason: string): Refusal => ({ type: 'refusal', code, reason });
  const { oldest, newest } = peer.versions;
  if (oldest > LINK_VERSIONS.newest || newest < LINK_VERSIONS.oldest) {
    const ours = `${LINK_VERSIONS.oldest} to ${LINK_VERSIONS.newest}`;
    return refuse('version', `node ${peer.node} speaks link versions ${oldest} to ${newest}, node ${own.node} ${ours}`);
  }
  if (peer.cluster !== own.cluster || peer.group !== own.group) {
    const theirs = `${peer.cluster}/${peer.group}`;
    return refuse('identity', `the peer belongs to ${theirs}, node ${own.node} to ${own.cluster}/${own.group}`);
  }
  if (peer.node !== expected) {
    return refuse('identity', `the peer says it is node ${peer.node}, node ${own.node} expects node ${expected}`);
  }
  return null;
}
