import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { it } from 'node:test';
import { tool } from '../../rig/tool.ts';

it('is a machine with IPVS, and the same Node', async () => {
  assert.match(readFileSync('/proc/net/ip_vs', 'latin1'), /^IP Virtual Server version/);
  assert.match(process.version, /^v24\./);
  await tool(['ipvsadm', '-A', '-t', '10.0.0.100:9000', '-s', 'fo']);
  assert.equal(await tool(['ipvsadm', '-Sn']), '-A -t 10.0.0.100:9000 -s fo\n');
  await tool(['ipvsadm', '-C']);
});
