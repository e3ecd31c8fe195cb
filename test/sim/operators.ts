import { HsctlError, messageOf } from '../../src/kit/errors.ts';
import type { GroupController } from '../../src/controller/group-controller.ts';
import type { Stage } from './fault-driver.ts';

/** What operators do, as the controller's API does it for them. Refusals are taken as an answer. */

/** `force` is never used against a lone master that may still run: the manual says so. */
export function promote(stage: Stage, to: string, force: boolean, allowDataLoss: boolean): void {
  withController(stage, async (controller) => {
    const { record } = controller;
    const other = stage.nodes.find(({ id }) => id !== to);
    const mayRun = other?.machine.up === true;
    if (force && record.masterNeedsNoLease && record.master === other?.id && mayRun) return;
    const plan = await controller.promote({ to, force, allowDataLoss }, 'operator', false);
    stage.world.tell('operator', `promote ${to}: ${plan.refusals.join('; ') || 'started'}`);
  });
}

export function drain(stage: Stage, node: string): void {
  withController(stage, (controller) => controller.drain(node, null, 'operator'));
}

export function undrain(stage: Stage, node: string): void {
  withController(stage, (controller) => controller.undrain(node, 'operator'));
}

/** `forMs` null: the pause ends. */
export function pause(stage: Stage, forMs: number | null): void {
  withController(stage, (controller) => {
    const pausedUntilWallMs = forMs === null ? null : controller.view().nowWallMs + forMs;
    return controller.change({ pausedUntilWallMs }, 'operator', forMs === null ? 'resume' : 'pause');
  });
}

/** What an operator does once the faults are over, if the group does not come back by itself. */
export function repair(stage: Stage): void {
  withController(stage, async (controller) => {
    const { record } = controller;
    if (record.pausedUntilWallMs !== null) pause(stage, null);
    for (const node of record.drained) undrain(stage, node);
    const diverged = stage.nodes.some(({ agent }) => agent?.node.core.role === 'diverged');
    if (diverged && record.stage === 'serving' && record.master !== null) promote(stage, record.master, false, true);
    const master = stage.nodes.find(({ id }) => id === record.master);
    const other = stage.nodes.find(({ id }) => id !== record.master);
    // An empty disk never beats a log, unless an operator says so: this one takes the log.
    if (record.stage !== 'none' && master?.store.end.seq === 0 && other !== undefined && other.store.end.seq > 0)
      promote(stage, other.id, false, true);
    const manual = controller.settings.mode === 'manual';
    if (manual && record.stage !== 'none') for (const { id } of stage.nodes) promote(stage, id, false, false);
  });
}

function withController(stage: Stage, act: (controller: GroupController) => Promise<void>): void {
  const run = stage.controller();
  run?.process.run(() => {
    act(run.controller).catch((error: unknown) => {
      if (error instanceof HsctlError) stage.world.tell('operator', error.message);
      else stage.world.broken('crash', `the controller: ${describe(error)}`);
    });
  });
}

function describe(error: unknown): string {
  return error instanceof Error ? (error.stack ?? error.message) : messageOf(error);
}
