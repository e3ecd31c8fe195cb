import { IndexBuild, type IndexBuilder } from '../../../src/replication/log/index-builder.ts';
import { turn } from '../../../src/replication/log/turns.ts';

/** Builds on the caller's own thread; the index is there some turns later. */
export function inlineIndexBuilder(keys: number): IndexBuilder {
  const build = new IndexBuild(keys);
  return {
    add: (id, entries) => void build.add(id, entries),
    room: null,
    async finish() {
      await turn();
      await turn();
      return build.finish();
    },
    abandon: () => undefined,
  };
}
