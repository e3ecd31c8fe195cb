import { HsctlError } from '../../kit/errors.ts';
import { parseLines } from './parse.ts';
import { LineReader, type Files, type SourceFile } from './read-lines.ts';
import type { Remarks } from './remarks.ts';
import { all, argument, formatPlace, listed, type Statement, type SyntaxFault } from './statement.ts';

/** What one machine's keepalived.conf says, by kind of block. */
export interface Machine {
  readonly file: string;
  readonly global: readonly Statement[];
  /** `vrrp_instance`, `vrrp_sync_group`, `vrrp_script` and `virtual_server_group` by name. */
  readonly instances: ReadonlyMap<string, Statement>;
  readonly syncGroups: ReadonlyMap<string, Statement>;
  readonly scripts: ReadonlyMap<string, Statement>;
  readonly serverGroups: ReadonlyMap<string, Statement>;
  readonly virtualServers: readonly Statement[];
}

const FAULTS_SHOWN = 20;

/**
 * Reads a configuration as the machine with this id would.
 * @throws HsctlError('config') with a line for each fault of its syntax, HsctlError('usage') if it depends on the machine
 */
export function readMachine(file: SourceFile, id: string | null, files: Files, remarks: Remarks): Machine {
  const reader = new LineReader(files, id);
  reader.read(file);
  const { faults, missing, machines } = reader.notes;
  const { statements, faults: more } = parseLines(reader.lines);
  refuseFaults([...faults, ...more]);
  if (id === null && machines.size > 0) {
    const ids = [...machines];
    throw new HsctlError(
      'usage',
      `${file.path} has lines for the machines ${ids.join(', ')} only`,
      `name both machines: ${ids
        .slice(0, 2)
        .map((each) => `--config-id ${each}`)
        .join(' ')}`,
    );
  }
  for (const { place, pattern } of missing)
    remarks.add('omitted', place, `include ${pattern}`, 'there is no such file here: import where it is');
  remarks.checkBlock('file', statements);
  return sortOut(file.path, statements, remarks);
}

function sortOut(file: string, statements: readonly Statement[], remarks: Remarks): Machine {
  const named = (keyword: string): Map<string, Statement> =>
    new Map(all(statements, keyword).map((each) => [each.args[0] ?? '', each]));
  const machine: Machine = {
    file,
    global: listed(statements, 'global_defs'),
    instances: named('vrrp_instance'),
    syncGroups: named('vrrp_sync_group'),
    scripts: named('vrrp_script'),
    serverGroups: named('virtual_server_group'),
    virtualServers: all(statements, 'virtual_server'),
  };
  remarks.checkBlock('global_defs', machine.global);
  for (const { block } of machine.instances.values()) remarks.checkBlock('vrrp_instance', block ?? []);
  for (const { block } of machine.syncGroups.values()) remarks.checkBlock('vrrp_sync_group', block ?? []);
  for (const { block } of machine.scripts.values()) remarks.checkBlock('vrrp_script', block ?? []);
  for (const { block } of machine.virtualServers) remarks.checkBlock('virtual_server', block ?? []);
  return machine;
}

/** How it calls itself; null if it does not. */
export function routerId(machine: Machine): string | null {
  return argument(machine.global, 'router_id');
}

function refuseFaults(faults: readonly SyntaxFault[]): void {
  if (faults.length === 0) return;
  const lines = faults
    .slice(0, FAULTS_SHOWN)
    .map(({ place, found, remedy }) => `${formatPlace(place)}: ${found}; ${remedy}`);
  if (faults.length > FAULTS_SHOWN) lines.push(`and ${faults.length - FAULTS_SHOWN} more`);
  throw new HsctlError('config', lines.join('\n'), 'keepalived --config-test -f FILE finds the same');
}

/** Seconds with fractions as milliseconds; null if there is none, or it is not a time. */
export function milliseconds(text: string | null): number | null {
  const seconds = Number(text);
  return text === null || text === '' || !Number.isFinite(seconds) || seconds < 0 ? null : Math.round(seconds * 1000);
}

export function wholeNumber(text: string | null): number | null {
  const number = Number(text);
  return text === null || text === '' || !Number.isInteger(number) ? null : number;
}
