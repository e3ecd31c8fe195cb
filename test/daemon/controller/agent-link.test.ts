import assert from 'node:assert/strict';
import { setImmediate as turn } from 'node:timers/promises';
import { describe, it, type TestContext } from 'node:test';
import { AgentLink } from '../../../src/daemon/controller/agent-link.ts';
import type { Logger } from '../../../src/kit/logger.ts';
import type { LinkMessage } from '../../../src/protocol/link/messages.ts';
import type { LinkConnection } from '../../../src/transport/link-connection.ts';
import { ManualScheduler } from '../../kit/manual-scheduler.ts';
import { closed, collect, dial, hello, startListener, type TestListener } from '../../transport/links.ts';

const SILENCE_LIMIT_MS = 1_000;

/** A controller's link to an agent that the test plays, over loopback; its own time stands still. */
class Controller {
  readonly scheduler = new ManualScheduler();
  readonly events: string[] = [];
  readonly warnings: string[] = [];
  readonly link: AgentLink;
  readonly running: Promise<void>;
  readonly #abort = new AbortController();
  #waiting: (() => void)[] = [];

  constructor(dialAgent: (signal: AbortSignal) => Promise<LinkConnection>) {
    const tell = (event: string): void => {
      this.events.push(event);
      for (const resolve of this.#waiting.splice(0)) resolve();
    };
    const warn = (message: string): void => {
      this.warnings.push(message);
      tell('warned');
    };
    const nothing = (): void => undefined;
    const logger: Logger = { debug: nothing, info: nothing, warn, error: nothing, child: () => logger };
    this.link = new AgentLink({
      cluster: hello.cluster,
      group: hello.group,
      node: hello.node,
      instance: 'controller-1',
      dial: dialAgent,
      silenceLimitMs: SILENCE_LIMIT_MS,
      scheduler: this.scheduler,
      random: () => 0.5,
      logger,
      onLinked: () => tell('linked'),
      onMessage: (message: LinkMessage) => tell(message.type),
      onUnlinked: () => tell('unlinked'),
    });
    this.running = this.link.run(this.#abort.signal);
  }

  /** Resolves when this has happened so often. */
  async until(event: string, times = 1): Promise<void> {
    const happened = (): number => this.events.filter((each) => each === event).length;
    while (happened() < times) await new Promise<void>((resolve) => this.#waiting.push(resolve));
  }

  async stop(): Promise<void> {
    this.#abort.abort();
    await this.running;
  }

  static async withAgent(t: TestContext): Promise<{ controller: Controller; agent: TestListener }> {
    const agent = await startListener(t);
    const controller = new Controller((signal) => dial(t, agent.port, { signal }));
    t.after(() => controller.stop());
    return { controller, agent };
  }
}

/** The agent's end of the next link; it reads, or it would not see the link's end. */
async function nextLink(agent: TestListener): ReturnType<TestListener['nextLink']> {
  const next = await agent.nextLink();
  next.link.onMessage(() => undefined);
  return next;
}

const BEAT = {
  type: 'beat',
  sentAtMs: 0,
  epoch: 7,
  endSeq: 1,
  confirmedSeq: 1,
  wantsLease: false,
  peerSilentMs: -1,
} as const;

describe('the controller’s end of the control link', () => {
  it('greets, is linked by the answer, and hands on what comes', async (t) => {
    const { controller, agent } = await Controller.withAgent(t);
    const { link, hello: greeting } = await nextLink(agent);
    assert.deepEqual(greeting, { ...hello, instance: 'controller-1' });
    link.send(hello);
    link.send(BEAT);
    await controller.until('beat');
    assert.deepEqual(controller.events, ['linked', 'beat']);
    const from = collect(link);
    controller.link.send({ type: 'grant', echoedSentAtMs: 0, epoch: 7, leaseMs: 1_000, lingerMs: 0 });
    assert.equal((await from.first(1))[0]?.type, 'grant');
  });

  it('dials again when the link is lost', async (t) => {
    const { controller, agent } = await Controller.withAgent(t);
    for (const time of [1, 2, 3]) {
      const { link } = await nextLink(agent);
      link.send(hello);
      await controller.until('linked', time);
      link.close('the agent stops');
      await controller.until('unlinked', time);
      await controller.until('warned', time);
      await controller.scheduler.advance(1_000);
    }
    assert.match(controller.warnings[0] ?? '', /^lost the agent: /);
  });

  for (const [what, wrong] of [
    ['another cluster', { cluster: 'realm-8' }],
    ['another group', { group: 'cache' }],
    ['another node', { node: 'b' }],
  ] as const) {
    it(`has nothing to do with an agent of ${what}`, async (t) => {
      const { controller, agent } = await Controller.withAgent(t);
      const { link } = await nextLink(agent);
      link.send({ ...hello, ...wrong });
      link.send(BEAT);
      await closed(link);
      await controller.until('warned');
      assert.deepEqual(controller.events, ['warned']);
      assert.match(controller.warnings[0] ?? '', /lost the agent: this is .*, not world\/a/);
    });
  }

  it('takes nothing from an agent that does not greet', async (t) => {
    const { controller, agent } = await Controller.withAgent(t);
    const { link } = await nextLink(agent);
    link.send(BEAT);
    await controller.until('warned');
    assert.deepEqual(controller.events, ['warned']);
    assert.match(
      controller.warnings[0] ?? '',
      /lost the agent: not the protocol: the first message is beat, not a hello/,
    );
  });

  it('tells why it was refused', async (t) => {
    const { controller, agent } = await Controller.withAgent(t);
    const { link } = await nextLink(agent);
    link.send({ type: 'refusal', code: 'identity', reason: 'this is the agent of realm-7/world/b' });
    await controller.until('warned');
    assert.equal(controller.warnings[0], 'lost the agent: refused: this is the agent of realm-7/world/b');
  });

  it('closes a link that is silent, not one that is heard', async (t) => {
    const { controller, agent } = await Controller.withAgent(t);
    const { link } = await nextLink(agent);
    link.send(hello);
    await controller.until('linked');
    for (const beats of [1, 2, 3]) {
      await controller.scheduler.advance(SILENCE_LIMIT_MS - 1);
      link.send(BEAT);
      await controller.until('beat', beats);
    }
    assert.ok(!controller.events.includes('unlinked'));
    await controller.scheduler.advance(1.5 * SILENCE_LIMIT_MS);
    await controller.until('unlinked');
    await controller.until('warned');
    assert.equal(controller.warnings[0], 'lost the agent: silent');
  });

  it('reads what came during a stall of its own before it judges', async (t) => {
    const { controller, agent } = await Controller.withAgent(t);
    const { link } = await nextLink(agent);
    link.send(hello);
    await controller.until('linked');
    controller.scheduler.stall(5 * SILENCE_LIMIT_MS);
    await controller.scheduler.advance(0);
    link.send(BEAT);
    await controller.until('beat');
    assert.deepEqual(controller.events, ['linked', 'beat']);
  });

  it('says once that an agent cannot be reached, and goes on trying', async () => {
    let dials = 0;
    const controller = new Controller(() => {
      dials += 1;
      return Promise.reject(new Error(dials < 5 ? 'nobody is there' : 'no route'));
    });
    await controller.scheduler.advance(10_000);
    assert.ok(dials > 10);
    assert.deepEqual(controller.warnings, [
      'cannot reach the agent: nobody is there',
      'cannot reach the agent: no route',
    ]);
    await controller.stop();
    assert.equal(controller.scheduler.pending, 0);
  });

  it('stops with the link, also if that comes only when it was told to stop', async (t) => {
    const { controller, agent } = await Controller.withAgent(t);
    const { link } = await nextLink(agent);
    link.send(hello);
    await controller.until('linked');
    await controller.stop();
    await closed(link);
    const late = Promise.withResolvers<LinkConnection>();
    const other = new Controller(() => late.promise);
    const stopping = other.stop();
    late.resolve(await dial(t, agent.port));
    await stopping;
    await turn();
    assert.deepEqual(other.events, []);
    assert.equal(other.scheduler.pending, 0);
  });
});
