import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { describe, it } from 'node:test';
import { fileURLToPath } from 'node:url';

const DEMO = fileURLToPath(new URL('../../scripts/demo', import.meta.url));

async function play(...flags: readonly string[]): Promise<string> {
  const demo = spawn(DEMO, flags, { stdio: ['ignore', 'pipe', 'pipe'] });
  let printed = '';
  for (const stream of [demo.stdout, demo.stderr]) stream.on('data', (text) => (printed += String(text)));
  const [code] = (await once(demo, 'close')) as [number | null];
  assert.equal(code, 0, printed);
  return printed;
}

function assertStory(printed: string): void {
  assert.match(printed, /first answer from [ab]: \d+ ms after the kill/);
  assert.equal(printed.match(/acknowledged: [1-9]\d* changes; now missing: 0, there twice: 0/g)?.length, 2, printed);
  assert.match(printed, /failed writes: 0\n/);
  assert.match(printed, /nothing is left running/);
}

describe('scripts/demo', () => {
  it('plays in network namespaces', async () => {
    const printed = await play();
    assert.match(printed, /network namespaces/);
    assertStory(printed);
  });

  it('plays on loopback, as it does without root', async () => {
    const printed = await play('--loopback');
    assert.match(printed, /on loopback/);
    assertStory(printed);
  });
});
