import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import {
  formatIdentity,
  identityOf,
  identityRefusal,
  parseIdentity,
  type Identity,
} from '../../src/transport/identity.ts';

const node: Identity = { role: 'node', cluster: 'realm-7', name: 'a' };
const controller: Identity = { role: 'controller', cluster: 'realm-7' };
const operator: Identity = { role: 'operator', cluster: 'realm-7', name: 'alice' };

suite('identities', () => {
  test('come back from their texts', () => {
    for (const identity of [node, controller, operator])
      assert.deepEqual(parseIdentity(formatIdentity(identity)), identity);
  });

  test('are not made of anything else', () => {
    const texts = [
      '',
      'hsctl://realm-7',
      'hsctl://realm-7/node',
      'hsctl://realm-7/node/',
      'hsctl://realm-7/node/a/b',
      'hsctl://realm-7/controller/a',
      'hsctl:///node/a',
      'hsctl://realm-7/node/a?x',
      'hsctl://realm-7/node/a\n',
      'HSCTL://realm-7/node/a',
      'http://realm-7/node/a',
      'hsctl://realm-7/master/a',
    ];
    for (const text of texts) assert.equal(parseIdentity(text), null, text);
  });

  test('are found among the names of a certificate, if there is one only and nothing is hidden', () => {
    assert.deepEqual(identityOf('DNS:a.example, URI:hsctl://realm-7/node/a, IP Address:10.0.0.1'), node);
    const none = [
      undefined,
      '',
      'DNS:hsctl://realm-7/node/a',
      'URI:http://realm-7/node/a',
      'URI:hsctl://realm-7/node/a, URI:hsctl://realm-7/node/b',
      'DNS:"x, URI:hsctl://realm-7/controller, y"',
    ];
    for (const names of none) assert.equal(identityOf(names), null, names);
  });

  test('are what was expected, or not', () => {
    assert.equal(identityRefusal(node, [controller, node]), null);
    assert.match(identityRefusal(null, [node]) ?? '', /names nobody \(expected hsctl:\/\/realm-7\/node\/a\)/);
    for (const other of [controller, operator, { ...node, name: 'b' }, { ...node, cluster: 'realm-8' }]) {
      assert.match(identityRefusal(other, [node]) ?? '', /^its certificate is for hsctl:.*\(expected/);
    }
    assert.match(identityRefusal(node, []) ?? '', /its certificate is for/);
  });
});
