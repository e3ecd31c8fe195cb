import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import type { ProbeTarget } from '../../src/probes/probe.ts';
import { lookAt } from './looks.ts';
import { bad, saying, serving } from './servers.ts';

/** What probes make of answers that a server of their protocol seldom gives. */

describe('smtp probe', () => {
  it('reads replies of several lines, and says QUIT', async (t) => {
    const heard: string[] = [];
    const target = await serving(t, (socket) => {
      const rest = ['250-mx.example\r\n250 OK\r\n', '221 bye\r\n'];
      socket.write('220-hello\r\n220 there\r\n');
      socket.on('data', (bytes) => {
        heard.push(String(bytes));
        socket.write(rest.shift() ?? '');
      });
    });
    const result = await lookAt(target, 'smtp', { helo: 'probe.example' });
    assert.deepEqual(result, { good: true, detail: 'greets as "mx.example"' });
    assert.deepEqual(heard, ['EHLO probe.example\r\n', 'QUIT\r\n']);
  });

  it("gives the server's refusal", async (t) => {
    const full = await saying(t, '421 too many connections\r\n');
    assert.deepEqual(await lookAt(full, 'smtp'), bad('greeting: "421 too many connections"'));
    const picky = await saying(t, '220 hi\r\n', '501 who?\r\n');
    assert.deepEqual(await lookAt(picky, 'smtp'), bad('answer to EHLO: "501 who?"'));
    assert.deepEqual(await lookAt(await saying(t, 'SSH-2.0-x\r\n'), 'smtp'), bad('no SMTP: "SSH-2.0-x"'));
  });
});

describe('redis probe', () => {
  it('is bad at a server that loads its data, or is none', async (t) => {
    const loading = await saying(t, '', '-LOADING Redis is loading the dataset in memory\r\n');
    assert.deepEqual(await lookAt(loading, 'redis'), bad('answered "LOADING Redis is loading the dataset in memory"'));
    assert.deepEqual(await lookAt(await saying(t, '', 'HTTP/1.1 400\r\n'), 'redis'), bad('no Redis: "HTTP/1.1 400"'));
  });
});

describe('mysql probe', () => {
  const packet = (number: number, payload: Buffer): Buffer =>
    Buffer.concat([Buffer.from([payload.length & 255, payload.length >> 8, 0, number]), payload]);
  const greeting = (plugin: string): Buffer => {
    const head = Buffer.concat([
      Buffer.from('\n8.4.0\0'),
      Buffer.alloc(4),
      Buffer.from('12345678\0'),
      Buffer.alloc(18, 0),
    ]);
    head.writeUInt8(21, 7 + 4 + 9 + 7);
    return packet(0, Buffer.concat([head, Buffer.from('123456789012\0'), Buffer.from(`${plugin}\0`)]));
  };
  const error = (number: number, code: number, text: string): Buffer =>
    packet(number, Buffer.concat([Buffer.from([255, code & 255, code >> 8]), Buffer.from(text)]));
  const ok = (number: number): Buffer => packet(number, Buffer.from([0, 0, 0, 2, 0, 0, 0]));

  it('is bad where the server greets with an error', async (t) => {
    const full = await saying(t, error(0, 1040, 'Too many connections'));
    assert.deepEqual(await lookAt(full, 'mysql'), bad('error 1040: Too many connections'));
    const blocked = await saying(t, error(0, 1129, "Host 'c' is blocked because of many connection errors"));
    assert.match((await lookAt(blocked, 'mysql')).detail, /^error 1129: Host 'c' is blocked/);
  });

  it('takes caching_sha2_password where the server knows the password already', async (t) => {
    const target = await saying(
      t,
      greeting('caching_sha2_password'),
      Buffer.concat([packet(2, Buffer.from([1, 3])), ok(3)]),
      ok(1),
    );
    assert.deepEqual(await lookAt(target, 'mysql', { user: 'watch' }), { good: true, detail: '8.4.0' });
    const wantsTls = await saying(t, greeting('caching_sha2_password'), packet(2, Buffer.from([1, 4])));
    assert.match((await lookAt(wantsTls, 'mysql', { user: 'watch' })).detail, /^the account wants TLS/);
  });

  it('follows a switch to a way of login that it knows, and never sends a password in clear text', async (t) => {
    const to = (plugin: string): Buffer =>
      packet(2, Buffer.concat([Buffer.from([254]), Buffer.from(`${plugin}\0`), Buffer.from('12345678901234567890\0')]));
    const native = await saying(t, greeting('other'), to('mysql_native_password'), ok(4), ok(1));
    assert.equal((await lookAt(native, 'mysql', { user: 'watch' })).good, true);
    const clear = await saying(t, greeting('other'), to('mysql_clear_password'));
    assert.match((await lookAt(clear, 'mysql', { user: 'watch' })).detail, /^the account wants "mysql_clear_password"/);
  });

  it('gives no file to a server that asks for one', async (t) => {
    const target = await saying(
      t,
      greeting('mysql_native_password'),
      ok(2),
      ok(1),
      packet(1, Buffer.from('\xfb/etc/passwd', 'latin1')),
    );
    const result = await lookAt(target, 'mysql', { user: 'watch', query: 'select 1' });
    assert.deepEqual(result, bad('asks for a file of ours'));
  });
});

describe('postgres probe', () => {
  const message = (type: string, body: string): Buffer => {
    const head = Buffer.alloc(5);
    head.write(type);
    head.writeUInt32BE(body.length + 4, 1);
    return Buffer.concat([head, Buffer.from(body)]);
  };
  const error = (state: string, text: string): Buffer => message('E', `SFATAL\0C${state}\0M${text}\0\0`);
  const wants = (code: number, more = ''): Buffer => message('R', `\0\0\0${String.fromCharCode(code)}${more}`);

  for (const [state, text] of [
    ['57P03', 'the database system is starting up'],
    ['53300', 'sorry, too many clients already'],
    ['57P01', 'terminating connection'],
  ] as const) {
    it(`is bad at ${state}, with and without an account`, async (t) => {
      const target = await saying(t, '', error(state, text));
      assert.deepEqual(await lookAt(target, 'postgres'), bad(`${text} (${state})`));
      assert.deepEqual(await lookAt(target, 'postgres', { user: 'watch' }), bad(`${text} (${state})`));
    });
  }

  it('is not led astray by a server that plays tricks with SCRAM', async (t) => {
    const password = join(await mkdtemp(join(tmpdir(), 'hsctl-scram-')), 'password');
    writeFileSync(password, 'secret');
    t.after(() => rm(join(password, '..'), { recursive: true }));
    const login = { user: 'watch', passwordFile: password };
    const begin = wants(10, 'SCRAM-SHA-256\0\0');
    const stale = await saying(t, '', begin, wants(11, 'r=another,s=c2FsdA==,i=4096'));
    assert.deepEqual(await lookAt(stale, 'postgres', login), bad('answers no SCRAM'));
    const scripted = (reply: (nonce: string) => Buffer, last: Buffer): Promise<ProbeTarget> =>
      serving(t, (socket) => {
        let heard = 0;
        socket.on('data', (bytes) => {
          heard += 1;
          const nonce = /r=([^,]+)$/.exec(bytes.toString('latin1'))?.[1] ?? '';
          socket.write(heard === 1 ? begin : heard === 2 ? reply(nonce) : last);
        });
      });
    const greedy = await scripted((nonce) => wants(11, `r=${nonce}x,s=c2FsdA==,i=100000000`), wants(0));
    assert.deepEqual(await lookAt(greedy, 'postgres', login), bad('asks for 100000000 rounds of SCRAM'));
    const forged = await scripted((nonce) => wants(11, `r=${nonce}x,s=c2FsdA==,i=4096`), wants(12, 'v=Zm9yZ2Vk'));
    assert.deepEqual(await lookAt(forged, 'postgres', login), bad('does not know the password itself'));
  });
});

describe('agent-check probe', () => {
  for (const [said, good, detail] of [
    ['up\n', true, 'up'],
    ['ready\r\n', true, 'ready'],
    ['75% up\n', true, '75% up'],
    ['UP 50%, maxconn:30\n', true, 'up 50% maxconn:30'],
    ['down#disk full\n', false, 'down: disk full'],
    ['drain\n', false, 'drain'],
    ['maint # back at noon\n', false, 'maint: back at noon'],
    ['0%\n', false, '0%'],
    ['stopped\n', false, 'stopped'],
    ['failed\n', false, 'failed'],
    ['\n', false, 'no answer of an agent-check: ""'],
    ['upp\n', false, 'no answer of an agent-check: "upp"'],
  ] as const) {
    it(`reads ${JSON.stringify(said)}`, async (t) => {
      assert.deepEqual(await lookAt(await saying(t, said), 'agent-check'), { good, detail });
    });
  }

  it('sends its text first, and takes the end of the connection for the end of the line', async (t) => {
    const target = await serving(t, (socket) =>
      socket.once('data', (bytes) => socket.end(String(bytes) === 'world' ? 'up' : 'down')),
    );
    assert.equal((await lookAt(target, 'agent-check', { send: 'world' })).good, true);
    assert.equal((await lookAt(target, 'agent-check', { send: 'other' })).good, false);
  });
});
