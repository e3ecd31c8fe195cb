import { canonicalHost, formatEndpoint } from '../../kit/address.ts';
import { checkerProbes } from './checkers.ts';
import { gap, type GroupDraft } from './draft.ts';
import { milliseconds, wholeNumber, type Machine } from './machine.ts';
import type { Remarks } from './remarks.ts';
import { all, argument, last, type Statement } from './statement.ts';
import type { Section } from './track-scripts.ts';

/** The virtual servers of a machine, as groups whose traffic the ipvs driver leads. */

interface RealServer {
  readonly statement: Statement;
  readonly address: string;
  /** Null: that of the virtual server. */
  readonly port: number | null;
  readonly weight: number;
}

interface Virtual {
  /** Null for a service by firewall mark. */
  readonly address: string | null;
  readonly port: number | null;
  readonly fwmark: number | null;
}

const PERSISTENCE_S = 360;

/** Addresses for clients of all virtual servers: those that a pair of directors moves. */
export function virtualAddresses(machine: Machine): ReadonlySet<string> {
  const services = machine.virtualServers.flatMap((server) => virtualsOf(server, machine));
  return new Set(services.flatMap(({ address }) => (address === null ? [] : [address])));
}

export function serverGroups(machine: Machine, remarks: Remarks): readonly Omit<GroupDraft, 'name'>[] {
  return machine.virtualServers.flatMap((server) => {
    const block = server.block ?? [];
    const title = `virtual_server ${server.args.join(' ')}`;
    const protocol = (argument(block, 'protocol') ?? 'TCP').toLowerCase();
    const reals = realServers(block, remarks);
    const virtuals = virtualsOf(server, machine);
    const refusal = refusalOf(protocol, reals, virtuals);
    if (refusal !== null) {
      remarks.add('omitted', server.place, title, refusal);
      return [];
    }
    remarkOnBalance(server, reals, remarks);
    const [first, second] = reals;
    if (virtuals.some(({ fwmark }) => fwmark !== null))
      remarks.add('gap', server.place, title, 'virtual: the address and port that clients use, beside the mark');
    const entries = virtuals.map((virtual) => ipvsEntry(virtual, protocol, block, first));
    const usual = virtuals.find(({ port }) => port !== null)?.port ?? null;
    const port = first?.port ?? usual;
    const other = second?.port ?? usual ?? port;
    const probes = probesOf(reals, block, remarks);
    const [probe] = probes;
    return [
      {
        about: title,
        place: server.place,
        addresses: { a: first?.address ?? null, b: second?.address ?? null },
        ports: port !== null && other !== null && port !== other ? { a: port, b: other } : null,
        app: {
          ...(port === null ? {} : { port }),
          ...(probe === undefined ? {} : { probe: probes.length === 1 ? probe : { type: 'all', of: probes } }),
          ...(probes.some(({ from }) => from !== 'controller') ? { ready: 'probe' } : {}),
        },
        traffic: entries,
        prefer: (second?.weight ?? 0) > (first?.weight ?? 0) ? 'b' : 'a',
      },
    ];
  });
}

function realServers(block: readonly Statement[], remarks: Remarks): readonly RealServer[] {
  return all(block, 'real_server').map((statement) => {
    const own = statement.block ?? [];
    remarks.checkBlock('real_server', own);
    const port = wholeNumber(statement.args[1] ?? null);
    return {
      statement,
      address: statement.args[0] ?? '',
      port: port === 0 ? null : port,
      weight: wholeNumber(argument(own, 'weight')) ?? 1,
    };
  });
}

function virtualsOf(server: Statement, machine: Machine): readonly Virtual[] {
  const [first = '', second] = server.args;
  if (first === 'fwmark') return [{ address: null, port: null, fwmark: wholeNumber(second ?? null) }];
  if (first !== 'group') return [addressed(first, second)];
  const lines = machine.serverGroups.get(second ?? '')?.block ?? [];
  return lines.map(({ keyword, args }) =>
    keyword === 'fwmark'
      ? { address: null, port: null, fwmark: wholeNumber(args[0] ?? null) }
      : addressed(keyword, args[0]),
  );
}

function addressed(address: string, port: string | undefined): Virtual {
  const number = wholeNumber(port ?? null);
  return { address: canonicalHost(address), port: number === 0 ? null : number, fwmark: null };
}

/** Why there is no such group with hsctl; null if there is one. */
function refusalOf(protocol: string, reals: readonly RealServer[], virtuals: readonly Virtual[]): string | null {
  if (protocol !== 'tcp' && protocol !== 'udp')
    return `the ipvs driver leads TCP and UDP, not ${protocol}: keep keepalived for it`;
  if (virtuals.length === 0) return 'its virtual_server_group is not in the file';
  if (virtuals.some(({ address, fwmark }) => fwmark === null && /[/-]/.test(address ?? '')))
    return 'ranges of addresses are not led: write one entry for each address, or mark the packets and use fwmark';
  if (virtuals.some(({ port, fwmark }) => fwmark === null && port === null))
    return 'a service on all ports is not led: mark the packets and use fwmark';
  if (reals.length === 0) return 'it has no real_server';
  if (reals.length > 2)
    return `${reals.length} servers that all work at once need a load balancer: keep keepalived, or HAProxy, for it; hsctl keeps one active copy on two nodes`;
  return null;
}

function remarkOnBalance(server: Statement, reals: readonly RealServer[], remarks: Remarks): void {
  const block = server.block ?? [];
  const scheduler = last(block, 'lb_algo', 'lvs_sched');
  const name = scheduler?.args[0] ?? 'wlc';
  if (reals.length === 1) {
    remarks.add('gap', server.place, 'a single real_server', 'a group has two nodes: fill in the other one');
  } else if (name !== 'fo' && reals.every(({ weight }) => weight > 0)) {
    remarks.add(
      'changed',
      scheduler?.place ?? server.place,
      `lb_algo ${name} over two servers`,
      'one node serves at a time and the other holds its state: scheduler fo',
    );
  }
  const kinds = new Set(
    [methodOf(block), ...reals.map(({ statement }) => methodOf(statement.block ?? []))].filter((kind) => kind !== null),
  );
  if (kinds.size > 1)
    remarks.add(
      'changed',
      server.place,
      'different lb_kind of its real servers',
      'both nodes are reached as the first one is',
    );
  const typed = last(block, 'lb_kind', 'lvs_method');
  if ((typed?.args.length ?? 0) > 1)
    remarks.add(
      'omitted',
      typed?.place ?? server.place,
      'tunnel type and checksums',
      'the ipvs driver wraps in plain IP (ipip)',
    );
}

function methodOf(block: readonly Statement[]): string | null {
  return argument(block, 'lb_kind', 'lvs_method')?.toLowerCase() ?? null;
}

function ipvsEntry(
  virtual: Virtual,
  protocol: string,
  block: readonly Statement[],
  real: RealServer | undefined,
): Section {
  const method = methodOf(real?.statement.block ?? []) ?? methodOf(block) ?? 'nat';
  const persistence = last(block, 'persistence_timeout');
  const seconds = (milliseconds(persistence?.args[0] ?? null) ?? PERSISTENCE_S * 1000) / 1000;
  const endpoint = formatEndpoint({ host: virtual.address ?? '', port: virtual.port ?? 0 });
  const target =
    virtual.fwmark === null
      ? { virtual: endpoint }
      : { virtual: gap('ADDRESS:PORT that clients use'), fwmark: virtual.fwmark };
  return {
    type: 'ipvs',
    ...target,
    ...(protocol === 'udp' ? { protocol } : {}),
    forwarding: method,
    ...(persistence === null ? {} : { persistence: `${Math.round(seconds)}s` }),
  };
}

/** The probes of the first real server; both nodes are probed alike. */
function probesOf(reals: readonly RealServer[], virtual: readonly Statement[], remarks: Remarks): readonly Section[] {
  const [first, second] = reals.map(({ statement }) => checkerProbes(statement.block ?? [], virtual, remarks));
  if (second !== undefined && JSON.stringify(first) !== JSON.stringify(second)) {
    const place = reals[1]?.statement.place ?? reals[0]?.statement.place;
    if (place !== undefined)
      remarks.add(
        'changed',
        place,
        'checkers that differ from those of the first real_server',
        'both nodes are probed alike: as the first one was',
      );
  }
  return first ?? [];
}
