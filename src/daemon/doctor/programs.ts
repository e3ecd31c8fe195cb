import { accessSync, constants, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { critical, fine, warning, type Look } from './finding.ts';

const SYSTEM_FOLDERS = ['/usr/local/sbin', '/usr/sbin', '/sbin'];

/** Programs that the configuration names: there, and executable. `what`: the key that names it. */
export function lookAtPrograms(
  named: readonly { readonly what: string; readonly command: readonly string[] }[],
): readonly Look[] {
  return named.map(({ what, command: [program = ''] }) => {
    const check = `program of ${what}`;
    const folders = [...(process.env['PATH'] ?? '').split(':'), ...SYSTEM_FOLDERS];
    const paths = program.includes('/') ? [program] : folders.map((folder) => join(folder, program));
    const found = paths.find(isExecutable);
    if (found !== undefined) return fine(check, found);
    return critical(check, `${program} is not there, or may not be executed`, 'install it, or chmod +x it');
  });
}

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return statSync(path).isFile();
  } catch {
    return false;
  }
}

/** Numbers of capabilities, as capability.h has them. */
const CAPABILITIES = { CAP_NET_BIND_SERVICE: 10, CAP_NET_ADMIN: 12, CAP_NET_RAW: 13 } as const;
export type Capability = keyof typeof CAPABILITIES;

/** Whether who runs this has what the role needs; the systemd units grant it. */
export function lookAtCapabilities(needed: readonly Capability[], statusFile = '/proc/self/status'): readonly Look[] {
  const effective = BigInt(`0x${/^CapEff:\s*([0-9a-f]+)$/m.exec(readFileSync(statusFile, 'utf8'))?.[1] ?? '0'}`);
  return needed.map((name) => {
    if ((effective >> BigInt(CAPABILITIES[name])) & 1n) return fine(name, 'this user has it');
    return warning(
      name,
      'this user does not have it',
      'run hsctl doctor as root; the systemd units grant it to the daemons',
    );
  });
}
