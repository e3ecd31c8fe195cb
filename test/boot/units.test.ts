import assert from 'node:assert/strict';
import { after, before, suite, test } from 'node:test';
import { BootedMachine } from './booted-machine.ts';

const CONFIGURATION = `
cluster: boot
groups:
  world:
    nodes:
      a: { address: 127.0.0.1, control: 7401, replication: 7402, port: 9001, socket: /run/hsctl/a.sock, store: /var/lib/hsctl/a }
      b: { address: 127.0.0.1, control: 7411, replication: 7412, port: 9002, socket: /run/hsctl/b.sock, store: /var/lib/hsctl/b }
    app:
      run: [/etc/hsctl/app]
      promote: [/etc/hsctl/promote]
      ready: hook
    traffic:
      - { type: proxy, listen: 127.0.0.1:90 }
`;

/** The least that is an app: a connection that says so and stays. */
const APP = '#!/bin/sh\n{ echo HS APP least; exec sleep infinity; } | redis-cli -s "$HSCTL_SOCKET"\n';

/** Prints \`NAME=VALUE\` for each thing that the tests below look at; \`until\` waits for what is to come. */
const SCRIPT = `
wait_for() { timeout 60 bash -c "until $1; do sleep 0.05; done" && echo "$2=yes" || echo "$2=no"; }
shown() { systemctl show --property="$1" --value "$2"; }
groupadd --system hsctl
units='hsctl-controller hsctl-agent@world:a hsctl-agent@world:b'

systemctl start $units
for unit in $units; do echo "state-$unit=$(shown SubState $unit)"; done
wait_for '[ -n "$(systemctl show --property=StatusText --value hsctl-controller)" ]' controller-says-status
write() { redis-cli -s /run/hsctl/a.sock set word "$1" | grep -q OK || redis-cli -s /run/hsctl/b.sock set word "$1" | grep -q OK; }
export -f write
wait_for 'write bird' written
for node in a b; do echo "word-$node=$(redis-cli -s /run/hsctl/$node.sock get word)"; done
echo "hook=$(shown SubState started-by-hook)"
echo "group-member=$(setpriv --reuid=nobody --regid=hsctl --clear-groups redis-cli -s /run/hsctl/a.sock ping)"
echo "stranger=$(setpriv --reuid=nobody --regid=nogroup --clear-groups redis-cli -s /run/hsctl/a.sock ping 2>&1)"
echo "capabilities=$(sed -n 's/CapEff:\\t0*//p' /proc/$(shown MainPID hsctl-agent@world:a)/status)"

kill -KILL "$(shown MainPID hsctl-agent@world:a)"
wait_for '[ "$(systemctl show --property=NRestarts,SubState --value hsctl-agent@world:a | paste -sd" ")" = "1 running" ]' agent-restarted
wait_for 'write fish' written-again
kill -STOP "$(shown MainPID hsctl-controller)"
wait_for '[ "$(systemctl show --property=NRestarts,SubState --value hsctl-controller | paste -sd" ")" = "1 running" ]' watchdog-restarted

systemctl stop $units
for unit in $units; do echo "end-$unit=$(shown Result $unit) $(shown SubState $unit)"; done
echo "left=$(pgrep -fc 'bin/hsctl[.]js|sleep infinity')"
echo --- journal
journalctl --no-pager --output=cat --unit='hsctl-controller' --unit='hsctl-agent@*'
`;

suite('the units under systemd', () => {
  const machine = new BootedMachine();
  let printed = '';
  const found = new Map<string, string>();

  before(async () => {
    await machine.open();
    machine.write('etc/hsctl/hsctl.yaml', CONFIGURATION);
    machine.write('etc/hsctl/app', APP, 0o755);
    machine.write('etc/hsctl/promote', '#!/bin/sh\nexec systemctl start started-by-hook\n', 0o755);
    machine.write('etc/systemd/system/hsctl-controller.service.d/test.conf', '[Service]\nWatchdogSec=2\n');
    machine.write(
      'etc/systemd/system/started-by-hook.service',
      '[Service]\nType=oneshot\nRemainAfterExit=yes\nExecStart=/bin/true\n',
    );
    printed = await machine.runScript(SCRIPT);
    for (const [, name = '', value = ''] of printed.matchAll(/^([\w@:-]+)=(.*)$/gm)) found.set(name, value);
  });
  after(() => machine.close());

  function is(name: string, value: string): void {
    assert.equal(found.get(name), value, printed);
  }

  test('start: each says that it is ready, and what it does', () => {
    is('state-hsctl-controller', 'running');
    is('state-hsctl-agent@world:a', 'running');
    is('state-hsctl-agent@world:b', 'running');
    is('controller-says-status', 'yes');
  });

  test('the pair serves from within the sandbox', () => {
    is('written', 'yes');
    is('word-a', 'bird');
    is('word-b', 'bird');
  });

  test('a hook may ask systemd to start a service', () => is('hook', 'exited'));

  test("the app's socket is for the group hsctl", () => {
    is('group-member', 'PONG');
    assert.match(found.get('stranger') ?? '', /Permission denied/, printed);
  });

  test('an agent has the two capabilities of its unit and no more', () => is('capabilities', '3000'));

  test('a killed agent is started again, and the pair serves', () => {
    is('agent-restarted', 'yes');
    is('written-again', 'yes');
  });

  test('a controller that hangs is killed by the watchdog and started again', () => {
    is('watchdog-restarted', 'yes');
    assert.match(printed, /hsctl-controller\.service: Watchdog timeout/);
  });

  test('stop: all end as they should and leave nothing running', () => {
    is('end-hsctl-controller', 'success dead');
    is('end-hsctl-agent@world:a', 'success dead');
    is('end-hsctl-agent@world:b', 'success dead');
    is('left', '0');
  });

  test('nothing stumbled over the sandbox', () => assert.doesNotMatch(printed, /EACCES|EPERM|EROFS/));
});
