import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { PeerLinks } from '../../src/agent/peer-links.ts';
import { silentLogger } from '../../src/kit/logger.ts';
import { LinkPair, type LinkEnd } from '../replication/link/link-pair.ts';
import { SETTINGS } from './core/core-harness.ts';
import { NodeHarness } from './node-harness.ts';

/** The links of a master that hands over; the test is the peer's end of each link that it dials. */
class Links {
  readonly harness = NodeHarness.serving();
  readonly ends: LinkEnd[] = [];
  reachable = true;
  dials = 0;
  readonly #links: PeerLinks;

  constructor() {
    const { harness } = this;
    const { scheduler } = harness;
    const random = (): number => 0.5;
    this.#links = new PeerLinks({
      identity: { cluster: 'c', group: 'g', node: SETTINGS.node, instance: 'a-1' },
      node: harness.node,
      log: harness.log,
      settings: harness.settings,
      pace: { bytesPerSecond: Infinity, intervalMs: 100 },
      syncsAlways: false,
      dial: () => {
        this.dials += 1;
        if (!this.reachable) return Promise.reject(new Error('nobody is there'));
        const pair = new LinkPair({ scheduler, random, delayMs: 0, chunkBytes: 65_536 });
        this.ends.push(pair.dialler);
        return Promise.resolve(pair.dialler);
      },
      endOfTurn: (task) => void scheduler.after(0, task),
      scheduler,
      random,
      logger: silentLogger,
    });
  }

  /** What the present posture asks for is done. */
  async update(): Promise<void> {
    this.#links.update(this.harness.node.core.posture());
    await this.harness.scheduler.advance(0);
  }

  get greetings(): number {
    return this.ends.flatMap(({ sent }) => sent.filter(({ type }) => type === 'peerHello')).length;
  }
}

describe('the links of a master that is quiesced', () => {
  it('are dialled before it is a slave, and used once it is', async () => {
    const links = new Links();
    await links.update();
    assert.equal(links.dials, 0);
    links.harness.assign({ role: 'master', quiesce: true });
    await links.update();
    await links.update();
    assert.deepEqual([links.dials, links.greetings], [1, 0]);
    links.harness.assign({ role: 'slave', epoch: 2 });
    await links.update();
    assert.deepEqual([links.dials, links.greetings], [1, 1]);
  });

  it('are given up when it goes on as master', async () => {
    const links = new Links();
    links.harness.assign({ role: 'master', quiesce: true });
    await links.update();
    links.harness.assign({ role: 'master', quiesce: false });
    await links.update();
    assert.equal(links.ends[0]?.closeReason, 'not wanted any more');
    links.harness.assign({ role: 'slave', epoch: 2 });
    await links.update();
    assert.deepEqual([links.dials, links.greetings], [2, 1]);
  });

  it('are dialled anew when that could not be done before', async () => {
    const links = new Links();
    links.reachable = false;
    links.harness.assign({ role: 'master', quiesce: true });
    await links.update();
    links.reachable = true;
    links.harness.assign({ role: 'slave', epoch: 2 });
    await links.update();
    assert.deepEqual([links.dials, links.greetings], [2, 1]);
  });
});
