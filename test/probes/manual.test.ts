import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { describe, it } from 'node:test';
import { renderProbes } from '../../scripts/probes-doc.d/render.ts';
import { parseConfig } from '../../src/config/load.ts';
import { PROBE_KINDS } from '../../src/config/probe-kinds.ts';

const page = readFileSync(new URL('../../docs/probes.md', import.meta.url), 'utf8');

describe('docs/probes.md', () => {
  it('has the tables that scripts/probes-doc makes of the code', () => {
    assert.equal(page, renderProbes(page), 'docs/probes.md is stale: run scripts/probes-doc');
  });

  it('has a section, with words, for every kind', () => {
    for (const type of Object.keys(PROBE_KINDS)) {
      const section = page.split(/^### /m).find((text) => text.startsWith(`\`${type}\`\n`));
      assert.ok((section?.split('<!-- keys')[0]?.length ?? 0) > 80, type);
    }
  });

  it('has examples that are right', () => {
    const examples = [...page.matchAll(/^```yaml\n([^]*?)^```/gm)].map(([, text = '']) =>
      text.replaceAll(/^/gm, '    '),
    );
    assert.equal(examples.length, 2);
    for (const example of examples) {
      const nodes = 'nodes: { a: { address: 10.0.0.1 }, b: { address: 10.0.0.2 } }';
      const head = `cluster: demo\ntls: { dir: /etc/hsctl/tls }\ngroups:\n  world:\n    ${nodes}\n    traffic: []\n`;
      parseConfig(`${head}${example}`, 'example');
    }
  });
});
