import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import type { ProbeResult } from '../../src/probes/probe.ts';
import { NAME, NameServer, ZONE } from '../traffic/dns/name-server.ts';
import { lookAt } from '../probes/looks.ts';
import {
  PASSWORD,
  startMailServer,
  startMariadb,
  startPostgres,
  startRedis,
  type RealServer,
} from './probe-servers.ts';

/** Each probe that speaks a server's protocol, against that server as Debian has it. */

let folder = '';
let right = '';
let wrong = '';
before(async () => {
  folder = await mkdtemp(join(tmpdir(), 'hsctl-probes-'));
  right = join(folder, 'right');
  wrong = join(folder, 'wrong');
  writeFileSync(right, `${PASSWORD}\nsecond line\n`);
  writeFileSync(wrong, 'guess\n');
});
after(() => rm(folder, { recursive: true }));

function refuses({ good, detail }: ProbeResult, why: RegExp): void {
  assert.equal(good, false, detail);
  assert.match(detail, why);
}

describe('redis probe with Redis', () => {
  let open: RealServer;
  let closed: RealServer;
  before(async () => {
    open = await startRedis(
      '--user',
      'watch',
      'on',
      `>${PASSWORD.replace(' ', '_')}`,
      '+ping',
      '--user',
      'guest',
      'on',
      'nopass',
      '+ping',
    );
    closed = await startRedis('--requirepass', PASSWORD);
  });
  after(() => Promise.all([open?.close(), closed?.close()]));

  it('is good at PONG', async () => {
    assert.deepEqual(await lookAt(open.target, 'redis'), { good: true, detail: 'PONG' });
  });

  it('logs in with a password, or an account and its password', async () => {
    assert.equal((await lookAt(closed.target, 'redis', { passwordFile: right })).good, true);
    const account = join(folder, 'account');
    writeFileSync(account, PASSWORD.replace(' ', '_'));
    assert.equal((await lookAt(open.target, 'redis', { user: 'watch', passwordFile: account })).good, true);
    assert.equal((await lookAt(open.target, 'redis', { user: 'guest' })).good, true);
    refuses(await lookAt(open.target, 'redis', { user: 'nobody' }), /WRONGPASS/);
  });

  it('says what is wrong with its login', async () => {
    refuses(await lookAt(closed.target, 'redis'), /^wants a password: give a passwordFile$/);
    refuses(await lookAt(closed.target, 'redis', { passwordFile: wrong }), /WRONGPASS/);
    const missing = { passwordFile: join(folder, 'missing') };
    refuses(await lookAt(closed.target, 'redis', missing), /^the password file cannot be read: ENOENT/);
  });
});

describe('mysql probe with MariaDB', () => {
  let server: RealServer;
  before(async () => {
    server = await startMariadb();
  });
  after(() => server.close());

  it('is good at a server that refuses strangers', async () => {
    const { good, detail } = await lookAt(server.target, 'mysql');
    assert.equal(good, true, detail);
    assert.match(detail, /MariaDB.*, refuses strangers$/);
  });

  it('logs in, with and without a password, and asks', async () => {
    const { good, detail } = await lookAt(server.target, 'mysql', { user: 'watch', passwordFile: right });
    assert.equal(good, true, detail);
    assert.match(detail, /MariaDB/);
    assert.equal((await lookAt(server.target, 'mysql', { user: 'open', query: 'select 1' })).good, true);
    assert.equal((await lookAt(server.target, 'mysql', { user: 'open', query: 'do 1' })).good, true);
  });

  it("gives the server's own words where login or query fail", async () => {
    const login = { user: 'watch', passwordFile: wrong };
    refuses(await lookAt(server.target, 'mysql', login), /^error 1045: Access denied for user 'watch'@/);
    refuses(await lookAt(server.target, 'mysql', { user: 'watch' }), /^error 1045: Access denied/);
    refuses(await lookAt(server.target, 'mysql', { user: 'open', query: 'select * from mysql.user' }), /^error 1142: /);
    refuses(await lookAt(server.target, 'mysql', { user: 'open', query: 'select' }), /^error 1064: /);
  });
});

describe('postgres probe with PostgreSQL', () => {
  let server: RealServer;
  before(async () => {
    server = await startPostgres();
  });
  after(() => server.close());

  it('is good at a server that refuses strangers', async () => {
    const result = await lookAt(server.target, 'postgres');
    assert.deepEqual(result, { good: true, detail: 'takes connections, refuses strangers' });
  });

  for (const user of ['watch', 'old', 'open']) {
    it(`lets ${user} in, and asks`, async () => {
      const account = { user, database: 'postgres', passwordFile: user === 'open' ? null : right };
      const result = await lookAt(server.target, 'postgres', account);
      assert.deepEqual(result, { good: true, detail: `${user} is let in` });
      const asked = await lookAt(server.target, 'postgres', { ...account, query: 'select pg_is_in_recovery()' });
      assert.deepEqual(asked, { good: true, detail: 'query answered' });
    });
  }

  it("gives the server's own words where login or query fail", async () => {
    const database = 'postgres';
    for (const user of ['watch', 'old']) {
      const login = { user, database, passwordFile: wrong };
      refuses(await lookAt(server.target, 'postgres', login), /^password authentication failed.* \(28P01\)$/);
    }
    refuses(await lookAt(server.target, 'postgres', { user: 'open' }), /"open" does not exist \(3D000\)$/);
    const query = 'select * from pg_authid';
    refuses(await lookAt(server.target, 'postgres', { user: 'open', database, query }), /permission denied/);
  });

  it('never sends a password in clear text', async () => {
    const login = { user: 'plain', database: 'postgres', passwordFile: right };
    refuses(await lookAt(server.target, 'postgres', login), /^wants the password in clear text/);
  });
});

describe('dns probe with Knot', () => {
  let server: NameServer;
  before(async () => {
    server = await NameServer.start('knot');
  });
  after(() => server.close());

  for (const transport of ['udp', 'tcp'] as const) {
    it(`finds records over ${transport}`, async () => {
      const target = { host: '127.0.0.1', port: server.port };
      const result = await lookAt(target, 'dns', { name: ZONE, record: 'SOA', transport });
      assert.deepEqual(result, { good: true, detail: `1 record for ${ZONE} SOA` });
    });

    it(`tells missing records from missing names and foreign ones over ${transport}`, async () => {
      const target = { host: '127.0.0.1', port: server.port };
      const ask = (name: string): Promise<ProbeResult> => lookAt(target, 'dns', { name, record: 'TXT', transport });
      refuses(await ask(ZONE), new RegExp(`^knows no TXT of ${ZONE}$`));
      refuses(await ask(`none.of.${NAME}`), /^answered NXDOMAIN for /);
      refuses(await ask('.'), /^answered REFUSED for \. TXT$/);
    });
  }
});

describe('smtp probe with aiosmtpd', () => {
  let server: RealServer;
  before(async () => {
    server = await startMailServer();
  });
  after(() => server.close());

  it('is good at a server that greets and accepts EHLO', async () => {
    const { good, detail } = await lookAt(server.target, 'smtp', { helo: 'probe.example.org' });
    assert.equal(good, true, detail);
    assert.match(detail, /^greets as "/);
  });

  it('is bad once it is gone', async () => {
    await server.close();
    refuses(await lookAt(server.target, 'smtp'), /^connection refused/);
  });
});
