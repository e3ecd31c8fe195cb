import type { ProbeOptions } from '../config/probe-kinds.ts';
import { readPassword } from './password.ts';
import type { Probe } from './probe.ts';
import { ProbeFailure, shown } from './reason.ts';
import { overTcp } from './wire.ts';

/** Good if a Redis server answers PING, after AUTH where there is a password. One that still loads its data is not good. */
export function redisProbe(options: ProbeOptions<'redis'>): Probe {
  return {
    look: (target, signal) =>
      overTcp(options, target, signal, async (wire) => {
        const { user, passwordFile } = options;
        if (user !== null || passwordFile !== null) {
          const account = user === null ? [] : [user];
          wire.write(command(['AUTH', ...account, await readPassword(passwordFile)]));
          expectReply(await wire.line('answer to AUTH'), '+OK');
        }
        wire.write(command(['PING']));
        expectReply(await wire.line('answer to PING'), '+PONG');
        return { good: true, detail: 'PONG' };
      }),
  };
}

function command(words: readonly string[]): string {
  return `*${words.length}\r\n${words.map((word) => `$${Buffer.byteLength(word)}\r\n${word}\r\n`).join('')}`;
}

function expectReply(line: string, wanted: string): void {
  if (line === wanted) return;
  if (line.startsWith('-NOAUTH')) throw new ProbeFailure('wants a password: give a passwordFile');
  throw new ProbeFailure(line.startsWith('-') ? `answered ${shown(line.slice(1))}` : `no Redis: ${shown(line)}`);
}
