import assert from 'node:assert/strict';
import { after, before, beforeEach, describe, it } from 'node:test';
import type { DesiredTraffic, TrafficDriver } from '../../src/controller/ports.ts';

/** What a client meets that connects. */
export type Reached = 'a' | 'b' | 'refused';

/** A director-side driver with nodes `a` and `b` behind it, real or emulated. */
export interface DriverWorld {
  /** Another driver over the same state, as a restarted controller makes it. */
  makeDriver(): TrafficDriver;
  /** Connects as a new client does, and tells where that led. */
  reach(): Promise<Reached>;
  /**
   * Connects as a new client does while nobody is active, and resolves as soon as it is known to wait, with a function
   * that tells where it got in the end; null if this driver cannot hold connections.
   */
  wait: (() => Promise<() => Promise<Reached>>) | null;
  /** A text that changes whenever the real state is changed; null if there is none beside the process. */
  state(): Promise<string | null>;
  /** Sends new connections elsewhere, as an operator with a shell would; null if there is no way. */
  disturb: ((driver: TrafficDriver) => Promise<void>) | null;
  /**
   * Whether it turns new connections away while nobody is active. Name service cannot: clients go where they were last
   * told to, and it is the node that turns them away.
   */
  readonly refuses: boolean;
  /** Clears all state, as after a restart of the machine. */
  reset(): Promise<void>;
  close(): Promise<void>;
}

const wish = (change: Partial<DesiredTraffic>): DesiredTraffic => ({
  active: null,
  hold: false,
  dead: [],
  epoch: 1,
  ...change,
});

/** What every driver on the director's side must do. */
export function registerDriverTests(name: string, make: () => Promise<DriverWorld>): void {
  describe(`driver ${name}`, () => {
    let world: DriverWorld;
    const drivers: TrafficDriver[] = [];
    const closeDrivers = async (): Promise<void> => {
      await Promise.all(drivers.splice(0).map((driver) => driver.close()));
    };
    const start = async (): Promise<TrafficDriver> => {
      await closeDrivers();
      const driver = world.makeDriver();
      drivers.push(driver);
      return driver;
    };
    before(async () => {
      world = await make();
    });
    beforeEach(async () => {
      await closeDrivers();
      await world.reset();
    });
    after(async () => {
      await closeDrivers();
      await world.close();
    });

    it('sends new connections to the active node, and to the other after a change', async () => {
      const driver = await start();
      await driver.apply(wish({ active: 'a' }));
      assert.equal(await world.reach(), 'a');
      await driver.apply(wish({ active: 'b', epoch: 2 }));
      assert.equal(await world.reach(), 'b');
      await driver.apply(wish({ active: 'a', epoch: 3 }));
      assert.equal(await world.reach(), 'a');
    });

    it('refuses new connections while nobody is active', async () => {
      const driver = await start();
      await driver.apply(wish({}));
      assert.equal(await world.reach(), 'refused');
      await driver.apply(wish({ active: 'b' }));
      assert.equal(await world.reach(), 'b');
      await driver.apply(wish({}));
      assert.equal(await world.reach(), world.refuses ? 'refused' : 'b');
    });

    it('sends nothing to a dead node, and takes it back when it is alive', async () => {
      const driver = await start();
      await driver.apply(wish({ active: 'a' }));
      await driver.apply(wish({ active: 'a', dead: ['a'] }));
      if (world.refuses) assert.equal(await world.reach(), 'refused');
      await driver.apply(wish({ active: 'b', dead: ['a'], epoch: 2 }));
      assert.equal(await world.reach(), 'b');
      await driver.apply(wish({ active: 'b', epoch: 2 }));
      assert.equal(await world.reach(), 'b');
      await driver.apply(wish({ active: 'a', dead: ['b'], epoch: 3 }));
      assert.equal(await world.reach(), 'a');
    });

    it('lets new connections wait during a planned change, where it can', async () => {
      const driver = await start();
      await driver.apply(wish({ active: 'a' }));
      await driver.apply(wish({ hold: true }));
      const reached = await world.wait?.();
      await driver.apply(wish({ active: 'b', epoch: 2 }));
      if (reached !== undefined) assert.equal(await reached(), 'b');
      assert.equal(await world.reach(), 'b');
    });

    it('changes nothing when repeated, nor as another process', async () => {
      const driver = await start();
      await driver.apply(wish({ active: 'a' }));
      const state = await world.state();
      await driver.apply(wish({ active: 'a' }));
      assert.equal(await world.state(), state);
      const next = await start();
      if (state !== null) assert.equal(await world.reach(), 'a', 'traffic goes on without the controller');
      await next.apply(wish({ active: 'a' }));
      assert.equal(await world.state(), state);
      assert.equal(await world.reach(), 'a');
    });

    it('repairs what was changed by hand', async () => {
      const driver = await start();
      await driver.apply(wish({ active: 'a' }));
      await world.disturb?.(driver);
      await driver.apply(wish({ active: 'a' }));
      assert.equal(await world.reach(), 'a');
    });

    it('obeys the newest of several wishes', async () => {
      const driver = await start();
      await Promise.all([
        driver.apply(wish({ active: 'a' })),
        driver.apply(wish({ active: 'b', epoch: 2 })),
        driver.apply(wish({})),
        driver.apply(wish({ active: 'b', epoch: 3 })),
      ]);
      assert.equal(await world.reach(), 'b');
    });

    it('counts no connections to a node that has none', async () => {
      const driver = await start();
      await driver.apply(wish({ active: 'a' }));
      const count = await driver.connections('b');
      assert.ok(count === null || count === 0);
    });

    it('refuses a node that the group does not have', async () => {
      const driver = await start();
      await driver.apply(wish({ active: 'a' }));
      await assert.rejects(driver.apply(wish({ active: 'z' })), { name: 'HsctlError', code: 'refused' });
      assert.equal(await world.reach(), 'a');
    });
  });
}
