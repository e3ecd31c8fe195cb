import * as Flags from './flags.ts';
import { fileURLToPath } from 'node:url';
import { newPairConfig, type PairAnswers } from '../config/new-pair.ts';
import { parseConfig } from '../config/load.ts';
import { isLoopback } from '../kit/address.ts';
import { HsctlError } from '../kit/errors.ts';
import { HsctlCommand } from './base.ts';
import { askPair, type Given } from './init-questions.ts';
import { nodeAddressFlag, saveConfig, writeFlags } from './new-config.ts';

/** It lies at the same distance from the sources and from their build. */
const UNITS = fileURLToPath(new URL('../../scripts/systemd', import.meta.url));

export class Init extends HsctlCommand {
  static override summary = 'Write a configuration for a pair: asks on a terminal, or takes it all from flags.';
  static override description =
    'The file is the one of --config unless --output names another. It passes "hsctl config check", and is never replaced without --force.';
  static override examples = [
    'hsctl init',
    'hsctl init --group world --address a=10.0.0.11 --address b=10.0.0.12 --port 9000 --virtual 10.0.0.100/32 --interface eth0',
  ];
  static override flags = {
    ...writeFlags,
    output: Flags.string({
      char: 'o',
      helpValue: 'FILE',
      description: 'where to write; "-" prints it; default: --config',
    }),
    cluster: Flags.string({ helpValue: 'NAME', description: 'name of the cluster' }),
    group: Flags.string({ helpValue: 'NAME', description: 'name of the protected service' }),
    address: nodeAddressFlag,
    port: Flags.integer(1, 65_534)({ helpValue: 'PORT', description: 'where the app takes its clients' }),
    profile: Flags.string({ options: ['fast', 'balanced', 'wan'], description: 'numbers for leases and heartbeats' }),
    traffic: Flags.string({ options: ['vip', 'ipvs', 'nft', 'proxy'], description: 'how clients reach the master' }),
    virtual: Flags.string({
      helpValue: 'ADDRESS',
      description: 'address for clients: /32 for vip, :PORT for the others',
    }),
    interface: Flags.string({ helpValue: 'NAME', description: 'network interface of the nodes, for vip' }),
  };

  async run(): Promise<void> {
    const { flags } = this.parse(Init);
    const addresses = new Map(flags.address ?? []);
    const given: Given = {
      cluster: flags.cluster,
      group: flags.group,
      addressA: addresses.get('a'),
      addressB: addresses.get('b'),
      port: flags.port === undefined ? undefined : String(flags.port),
      profile: flags.profile,
      traffic: flags.traffic,
      virtual: flags.virtual,
      interface: flags.interface,
    };
    const answers = await askPair(given);
    const text = newPairConfig(answers);
    const output = flags.output ?? flags.config;
    const { warnings } = checked(text, output);
    for (const each of warnings) this.printAside(`${this.paint('poor', 'warning:')} ${each}`);
    if (output === '-') return this.print(text.trimEnd());
    saveConfig({ output, force: flags.force }, text);
    this.print(`${output} is written`, '', 'next:', ...nextSteps(answers, output).map((step) => `  ${step}`));
    this.print('', `the units are in ${UNITS}: copy them to /etc/systemd/system, after "groupadd --system hsctl"`);
  }
}

/** @throws HsctlError('usage') if what was asked for does not fit together */
function checked(text: string, name: string): { readonly warnings: readonly string[] } {
  try {
    return parseConfig(text, name);
  } catch (error) {
    if (!(error instanceof HsctlError)) throw error;
    throw new HsctlError('usage', error.message, 'nothing was written: give other answers', { cause: error });
  }
}

function nextSteps(answers: PairAnswers, output: string): readonly string[] {
  const { group, addressA, addressB } = answers;
  const certificates = [
    ['hsctl cert init', 'once, where the keys are kept'],
    ['hsctl cert issue controller', 'and node a, node b; copy each with ca.pem to /etc/hsctl/tls of its machine'],
    [`scp ${output} ${addressB}:${output}`, 'the same file on every machine'],
  ];
  const local = isLoopback(addressA) && isLoopback(addressB);
  const steps = [
    ...(local ? [] : certificates),
    ['hsctl doctor', 'on each machine'],
    ['systemctl enable --now hsctl-controller', 'on the director'],
    [`systemctl enable --now hsctl-agent@${group}:a`, `on node a; hsctl-agent@${group}:b on node b`],
    ['hsctl status', 'who serves'],
  ];
  const width = Math.max(...steps.map(([step = '']) => step.length));
  return steps.map(([step = '', when = '']) => `${step.padEnd(width)}  ${when}`);
}
