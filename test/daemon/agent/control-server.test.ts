import assert from 'node:assert/strict';
import { describe, it, type TestContext } from 'node:test';
import { ControlServer } from '../../../src/daemon/agent/control-server.ts';
import { silentLogger } from '../../../src/kit/logger.ts';
import type { Hello } from '../../../src/protocol/link/messages.ts';
import type { LinkConnection } from '../../../src/transport/link-connection.ts';
import { NodeHarness } from '../../agent/node-harness.ts';
import { closed, collect, dial, hello, peerHello, startListener } from '../../transport/links.ts';

/** A real agent behind its control server on loopback; its time stands still. */
async function startAgent(t: TestContext) {
  const harness = new NodeHarness();
  const { cluster, group, node } = hello;
  const server = new ControlServer({ cluster, group, node, instance: 'a-1' }, silentLogger);
  server.serve(harness.node);
  harness.onToController = (message) => server.send(message);
  const listener = await startListener(t, { onLink: (link, greeting) => server.accept(link, greeting) });
  const controller = async (
    greeting: Hello = hello,
  ): Promise<{ link: LinkConnection; from: ReturnType<typeof collect> }> => {
    const link = await dial(t, listener.port);
    link.send(greeting);
    return { link, from: collect(link) };
  };
  return { harness, port: listener.port, controller };
}

describe('the agent’s end of the control link', () => {
  it('greets the controller, and tells it everything at once', async (t) => {
    const agent = await startAgent(t);
    const { from } = await agent.controller();
    const [greeting, report, beat] = await from.first(3);
    assert.deepEqual(greeting, { ...hello, instance: 'a-1' });
    assert.ok(report?.type === 'report' && report.report.node === 'a' && report.report.instance === 'a-1');
    assert.equal(beat?.type, 'beat');
  });

  it('does what the controller says', async (t) => {
    const { harness, controller } = await startAgent(t);
    const { link, from } = await controller();
    await from.first(3);
    link.send({
      type: 'assign',
      assignment: {
        revision: 4,
        epoch: 7,
        role: 'slave',
        master: 'b',
        masterInstance: 'b-1',
        inSync: ['a', 'b'],
        slaveExpected: true,
        mayServeAlone: false,
        peerRenouncedEpoch: 0,
        quiesce: false,
        drain: 'no',
        mayDiscard: false,
        answeredProposal: 0,
        reason: 'R640',
      },
    });
    const [news] = (await from.first(4)).slice(3);
    assert.ok(news?.type === 'report');
    assert.deepEqual([news.report.role, news.report.epoch, news.report.assignmentRevision], ['slave', 7, 4]);
    assert.equal(harness.node.core.role, 'slave');
  });

  for (const [what, wrong] of [
    ['another cluster', { cluster: 'realm-8' }],
    ['another group', { group: 'cache' }],
    ['another node', { node: 'b' }],
  ] as const) {
    it(`refuses a controller that looks for ${what}, and keeps the one it has`, async (t) => {
      const { harness, controller } = await startAgent(t);
      const right = await controller();
      await right.from.first(3);
      const other = await controller({ ...hello, ...wrong });
      const [refusal] = await other.from.first(1);
      assert.deepEqual(refusal, { type: 'refusal', code: 'identity', reason: 'this is the agent of realm-7/world/a' });
      await closed(other.link);
      harness.node.beat();
      assert.equal((await right.from.first(4))[3]?.type, 'beat');
    });
  }

  it('refuses a peer that came to the wrong port', async (t) => {
    const { port } = await startAgent(t);
    const link = await dial(t, port);
    link.send(peerHello);
    assert.equal((await collect(link).first(1))[0]?.type, 'refusal');
    await closed(link);
  });

  it('listens to the newest controller only', async (t) => {
    const { harness, controller } = await startAgent(t);
    const old = await controller();
    await old.from.first(3);
    const present = await controller();
    await present.from.first(3);
    await closed(old.link);
    const before = old.from.messages.length;
    harness.node.beat();
    assert.equal((await present.from.first(4))[3]?.type, 'beat');
    assert.equal(old.from.messages.length, before);
  });

  it('closes the link of one that says what a controller never says', async (t) => {
    const { controller } = await startAgent(t);
    const { link, from } = await controller();
    await from.first(3);
    link.send({ type: 'ack', epoch: 7, seq: 1 });
    await closed(link);
  });

  it('keeps nothing for a controller that is not there', async (t) => {
    const { harness, controller } = await startAgent(t);
    harness.node.beat();
    harness.node.beat();
    const { from } = await controller();
    assert.deepEqual(
      (await from.first(3)).map(({ type }) => type),
      ['hello', 'report', 'beat'],
    );
  });
});
