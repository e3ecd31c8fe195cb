import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { ROLE_RULES } from '../../src/agent/core/role-rules.ts';
import { renderRules } from '../../scripts/rules-doc.d/render.ts';
import { RULES } from '../../src/controller/rules.ts';
import { REIGN_PHASES, ROLES } from '../../src/model/roles.ts';

const PAGE = readFileSync(join(import.meta.dirname, '..', '..', 'docs', 'rules.md'), 'utf8');

describe('the page of rules', () => {
  it('is what scripts/rules-doc makes of the code', () => {
    assert.equal(PAGE, renderRules(), 'docs/rules.md is stale: run scripts/rules-doc');
  });

  it('has each rule with each of its guards, each role and each phase', () => {
    for (const { id, title, why, when } of RULES) {
      const section = PAGE.slice(PAGE.indexOf(`### ${id}\n`)).split('\n### ')[0] ?? '';
      for (const text of [title, why, ...when.map(({ name }) => `- ${name}`)]) assert.ok(section.includes(text), text);
    }
    for (const { id, title, why } of ROLE_RULES) {
      const row = PAGE.split('\n').find((line) => line.startsWith(`| ${id} | ${title} |`));
      assert.ok(row?.includes(why), id);
    }
    for (const role of ROLES) assert.ok(PAGE.includes(`\n| ${role} |`), role);
    for (const phase of REIGN_PHASES) assert.ok(PAGE.includes(`\n| master | ${phase} |`), phase);
  });
});
