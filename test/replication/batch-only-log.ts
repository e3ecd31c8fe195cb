import type { IndexKey } from '../../src/replication/log/index-key.ts';
import type { Log } from '../../src/replication/log/log.ts';

type WholeSegments = Pick<
  Log,
  'indexKey' | 'takeIndexKey' | 'ship' | 'expect' | 'hasRoom' | 'room' | 'isExpecting' | 'isSettled' | 'settle'
>;

/** What a log in memory says of segments: it has none, and neither sends nor takes one whole. */
export abstract class BatchOnlyLog implements WholeSegments {
  readonly isExpecting = false;
  readonly hasRoom = true;
  readonly isSettled = true;

  get indexKey(): IndexKey {
    return { store: 'none', key: [0, 0, 0, 0] };
  }

  takeIndexKey(): void {}

  ship(): null {
    return null;
  }

  expect(): void {
    throw new Error('this log takes no segments whole');
  }

  async room(): Promise<void> {}

  async settle(): Promise<void> {}
}
