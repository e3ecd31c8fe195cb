import * as Args from './args.ts';
import * as Flags from './flags.ts';
import type { ApiClient } from '../api/client.ts';
import { EXIT, HsctlError } from '../kit/errors.ts';
import type { Promotion, PromotionOutcome } from '../model/answers.ts';
import type { GroupStatus } from '../model/status.ts';
import { jsonFlag } from './base.ts';
import { ControllerCommand } from './controller-place.ts';
import { renderEvent } from './render/events.ts';
import { renderPlan } from './render/explanation.ts';
import { findNode } from './target.ts';
import { waitFor } from './waiting.ts';

export class Promote extends ControllerCommand {
  static override summary = 'Make the other node master: a planned change that loses nothing.';
  static override description =
    'With --dry-run it prints the plan that the real run executes, and exits with 1 if it would be refused. Whatever fails before the master gave its lease back is rolled back.';
  static override args = {
    group: Args.string({ description: 'may be left out where there is one group' }),
    node: Args.string({ description: 'the node that is to serve; default: the other one' }),
  };
  static override flags = {
    'dry-run': Flags.boolean({ char: 'n', description: 'only say what would be done' }),
    force: Flags.boolean({
      description: 'go on although the master is silent, or a pause, hold-down or drain forbids it',
    }),
    'allow-data-loss': Flags.boolean({ description: 'go on although acknowledged records may be lost' }),
    wait: Flags.boolean({ default: true, allowNo: true, description: 'wait until the node serves' }),
    timeout: Flags.duration({ default: 60_000, description: 'how long to wait' }),
    json: jsonFlag,
  };

  async run(): Promise<void> {
    const { args, flags } = this.parse(Promote);
    const client = await this.client(flags);
    const { group, node } = await findNode(client, args);
    const promotion = await client.promote({
      group: group.group,
      node,
      dryRun: flags['dry-run'],
      force: flags.force,
      allowDataLoss: flags['allow-data-loss'],
      operator: this.operator,
    });
    if (flags['dry-run']) return this.#showPlan(promotion, flags.json);
    if (!flags.json) this.printAside(...renderPlan(promotion.plan, this.paint));
    if (!flags.wait) return flags.json ? this.printJson(promotion) : this.print(`${group.group}: begun`);
    const outcome = await this.#outcome(client, group, promotion, flags.timeout, flags.json);
    if (flags.json) this.printJson(outcome);
    else if (outcome.done) this.print(outcome.message);
    if (!outcome.done && flags.json) process.exitCode = EXIT.failed;
    else if (!outcome.done)
      throw new HsctlError('failed', outcome.message, `see "hsctl events ${group.group}" for the reason`);
  }

  #showPlan(promotion: Promotion, json: boolean): void {
    if (json) this.printJson(promotion);
    else this.print(...renderPlan(promotion.plan, this.paint));
    if (promotion.plan.refusals.length > 0) process.exitCode = EXIT.failed;
  }

  /** It is over when the group serves again: with the new master and traffic on it, or with the old one. */
  #outcome(
    client: ApiClient,
    before: GroupStatus,
    promotion: Promotion,
    timeoutMs: number,
    quiet: boolean,
  ): Promise<PromotionOutcome> {
    const { group, to } = promotion.plan;
    const wait = {
      client,
      scheduler: this.scheduler,
      group,
      timeoutMs,
      what: `${to} does not serve ${group} yet`,
      afterEventId: before.lastEvent?.id ?? 0,
      onEvent: (event: Parameters<typeof renderEvent>[0]) => {
        if (!quiet) this.printAside(renderEvent(event, this.paint));
      },
    };
    return waitFor(wait, (now) => {
      if (now.stage !== 'serving') return null;
      const outcome = { ...promotion, master: now.master, epoch: now.epoch };
      if (now.master !== to) {
        return {
          ...outcome,
          done: false,
          message: `${group} stays with ${now.master}: ${now.lastEvent?.message ?? now.reason}`,
        };
      }
      if (!now.serving || now.traffic.some((traffic) => !traffic.settled)) return null;
      return { ...outcome, done: true, message: `${to} serves ${group}, epoch ${now.epoch}` };
    });
  }
}
