import { existsSync } from 'node:fs';
import { readTextFile } from '../kit/text-file.ts';
import { HsctlError, messageOf } from '../kit/errors.ts';

export const DEFAULT_CONFIG_PATH = '/etc/hsctl/hsctl.yaml';
export const DEFAULT_CONTROLLER_SOCKET = '/run/hsctl/controller.sock';

/**
 * Path of the controller's socket according to the configuration file. Reads that section only, since loading and
 * checking a whole file (with zod, and perhaps a thousand groups) takes longer than all the rest of `hsctl status`.
 * A file that is missing in the default place means the default socket.
 * @throws HsctlError('config') if the file cannot be read or that section is no YAML
 */
export async function controllerSocket(configPath: string): Promise<string> {
  if (configPath === DEFAULT_CONFIG_PATH && !existsSync(configPath)) return DEFAULT_CONTROLLER_SOCKET;
  const text = readTextFile(configPath);
  const section = controllerSection(text);
  if (!section.includes('socket')) return DEFAULT_CONTROLLER_SOCKET;
  const plain = plainSocket(section);
  if (plain !== null) return plain;
  const [{ parse }, { floodIn }] = await Promise.all([import('yaml'), import('../config/text-limits.ts')]);
  const flood = floodIn(text);
  if (flood !== null) throw new HsctlError('config', `${configPath}: ${flood.found}`, 'run "hsctl config check"');
  try {
    return socketIn(parse(section)) ?? DEFAULT_CONTROLLER_SOCKET;
  } catch {
    // Aliases reach beyond the section; the whole file has what they stand for, or an error worth telling.
    try {
      return socketIn(parse(text)) ?? DEFAULT_CONTROLLER_SOCKET;
    } catch (error) {
      throw new HsctlError('config', `${configPath}: ${messageOf(error)}`, 'run "hsctl config check"', {
        cause: error,
      });
    }
  }
}

/** The lines of the top-level key `controller`, or the whole text if it is not written as a block of keys. */
function controllerSection(text: string): string {
  const lines = text.split('\n');
  if (/^\s*\{/.test(text)) return text;
  const start = lines.findIndex((line) => /^["']?controller["']?\s*:/.test(line));
  if (start < 0) return '';
  const length = lines.slice(start + 1).findIndex((line) => /^[^\s#}\]]/.test(line));
  return lines.slice(start, length < 0 ? undefined : start + 1 + length).join('\n');
}

/** The path where it is written as nearly always, so that nobody waits for YAML; null if that is not quite sure. */
function plainSocket(section: string): string | null {
  const [head = '', ...lines] = section.split('\n').filter((line) => /^\s*[^\s#]/.test(line));
  const indent = /^ */.exec(lines[0] ?? '')?.[0] ?? '';
  const isPlain = /^controller: *(#.*)?$/.test(head) && lines.every((line) => /^ +[\w-]+: +[\w/.:-]+ *$/.test(line));
  const found = lines.filter((line) => line.startsWith(`${indent}socket:`));
  return isPlain && found.length === 1 ? (/: +(\/[\w/.-]+) *$/.exec(found[0]!)?.[1] ?? null) : null;
}

function socketIn(value: unknown): string | null {
  const controller = memberOf(value, 'controller');
  const socket = memberOf(controller, 'socket');
  return typeof socket === 'string' ? socket : null;
}

function memberOf(value: unknown, key: string): unknown {
  return typeof value === 'object' && value !== null ? Object.getOwnPropertyDescriptor(value, key)?.value : undefined;
}
