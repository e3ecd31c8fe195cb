import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { controllerSocket, DEFAULT_CONTROLLER_SOCKET } from '../../src/commands/controller-socket.ts';
import { parseConfig } from '../../src/config/load.ts';
import { HsctlError } from '../../src/kit/errors.ts';

describe('socket of the controller', () => {
  let directory: string;
  before(() => {
    directory = mkdtempSync(join(tmpdir(), 'hsctl-socket-'));
  });
  after(() => rmSync(directory, { recursive: true }));

  const find = (text: string): Promise<string> => {
    const path = join(directory, 'hsctl.yaml');
    writeFileSync(path, text);
    return controllerSocket(path);
  };

  const GROUPS = `groups:
  world:
    nodes:
      a: { address: 127.0.0.1, control: 7411, replication: 7412, port: 9001, socket: /run/a.sock }
      b: { address: 127.0.0.1, control: 7421, replication: 7422, port: 9002, socket: /run/b.sock }
`;
  it('is not sought in what no parser gets through', async () => {
    await assert.rejects(find(`{ socket: ${'['.repeat(1_000_000)}`), /hsctl\.yaml: nested too deeply/);
  });

  const cases: [what: string, text: string, socket: string][] = [
    [
      'in a block',
      `cluster: c\n${GROUPS}controller:\n  # comment\n  socket: /run/x.sock\n  state: /var/x\n`,
      '/run/x.sock',
    ],
    ['in a block before others', `cluster: c\ncontroller:\n  socket: "/run/x.sock"\n\n${GROUPS}`, '/run/x.sock'],
    ['on one line', `cluster: c\ncontroller: { socket: /run/x.sock }\n${GROUPS}`, '/run/x.sock'],
    [
      'over several lines',
      `cluster: c\ncontroller: {\n  state: /var/x,\n  socket: /run/x.sock\n}\n${GROUPS}`,
      '/run/x.sock',
    ],
    [
      'by an alias',
      `cluster: c\n${GROUPS.replace('socket: /run/a.sock', 'socket: &s /run/a.sock')}controller:\n  socket: *s\n`,
      '/run/a.sock',
    ],
    [
      'in JSON',
      `{ "cluster": "c", "controller": { "socket": "/run/x.sock" }, ${GROUPS.slice(0, 7)} {} }`,
      '/run/x.sock',
    ],
    ['before a remark', `cluster: c\ncontroller:\n  socket: /run/x.sock # here\n${GROUPS}`, '/run/x.sock'],
    ['not at all', `cluster: c\ncontroller:\n  state: /var/x\n${GROUPS}`, DEFAULT_CONTROLLER_SOCKET],
    ['without the section', `cluster: c\n${GROUPS}`, DEFAULT_CONTROLLER_SOCKET],
  ];
  for (const [what, text, socket] of cases) {
    it(`is found ${what}, as the whole configuration has it`, async () => {
      assert.equal(await find(text), socket);
      // These two are no complete configurations.
      if (what !== 'in JSON' && what !== 'by an alias')
        assert.equal(parseConfig(text, 'test').config.controller.socket, socket);
    });
  }

  it('is not looked for in a file that is no YAML, or that is not there', async () => {
    const isConfigError = (error: unknown): boolean =>
      error instanceof HsctlError && error.code === 'config' && error.hint !== '';
    await assert.rejects(find('controller:\n  socket: [1, 2\nother: 1\n'), isConfigError);
    await assert.rejects(controllerSocket(join(directory, 'none.yaml')), isConfigError);
    for (const path of [directory, '/dev/zero']) await assert.rejects(controllerSocket(path), isConfigError);
  });
});
