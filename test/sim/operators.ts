import { HsctlError } from '../../src/kit/errors.ts';
import { planPromotion } from '../../src/controller/preflight.ts';
import type { GroupController } from '../../src/controller/group-controller.ts';
import type { Stage } from './fault-driver.ts';

/** What operators do, as the controller's API does it for them. Refusals are taken as an answer. */

/** `force` is never used against a lone master that may still run: the manual says so. */
export function promote(stage: Stage, to: string, force: boolean, allowDataLoss: boolean): void {
  withController(stage, (controller) => {
    const { record } = controller;
    const other = stage.nodes.find(({ id }) => id !== to);
    const mayRun = other?.machine.up === true;
    if (force && record.masterNeedsNoLease && record.master === other?.id && mayRun) return;
    const plan = controller.promote({ to, force, allowDataLoss }, 'operator', false);
    stage.world.tell('operator', `promote ${to}: ${plan.refusals.join('; ') || 'started'}`);
  });
}

export function drain(stage: Stage, node: string): void {
  withController(stage, (controller) => {
    const { record } = controller;
    const wish = { to: null, force: false, allowDataLoss: false };
    const isMaster = record.master === node;
    if (isMaster && planPromotion(controller.view(), wish).refusals.length > 0) return;
    controller.change({ drained: [...new Set([...record.drained, node])] }, 'operator', `drain ${node}`);
    if (isMaster) controller.promote(wish, 'operator', false);
  });
}

export function undrain(stage: Stage, node: string): void {
  withController(stage, (controller) => {
    const drained = controller.record.drained.filter((each) => each !== node);
    controller.change({ drained }, 'operator', `undrain ${node}`);
  });
}

/** `forMs` null: the pause ends. */
export function pause(stage: Stage, forMs: number | null): void {
  withController(stage, (controller) => {
    const pausedUntilWallMs = forMs === null ? null : controller.view().nowWallMs + forMs;
    controller.change({ pausedUntilWallMs }, 'operator', forMs === null ? 'resume' : 'pause');
  });
}

/** What an operator does once the faults are over, if the group does not come back by itself. */
export function repair(stage: Stage): void {
  withController(stage, (controller) => {
    const { record } = controller;
    if (record.pausedUntilWallMs !== null) controller.change({ pausedUntilWallMs: null }, 'operator', 'resume');
    for (const node of record.drained) undrain(stage, node);
    const diverged = stage.nodes.some(({ agent }) => agent?.node.core.role === 'diverged');
    if (diverged && record.stage === 'serving' && record.master !== null) promote(stage, record.master, false, true);
    const manual = controller.settings.mode === 'manual';
    if (manual && record.stage !== 'none') for (const { id } of stage.nodes) promote(stage, id, false, false);
  });
}

function withController(stage: Stage, act: (controller: GroupController) => void): void {
  const run = stage.controller();
  run?.process.run(() => {
    try {
      act(run.controller);
    } catch (error) {
      if (!(error instanceof HsctlError)) throw error;
      stage.world.tell('operator', error.message);
    }
  });
}
