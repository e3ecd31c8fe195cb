import { once } from 'node:events';
import { createServer, type Server } from 'node:net';
import { createInterface } from 'node:readline';
import { systemScheduler } from '../../../src/kit/clock.ts';
import { SocketLink } from '../../../src/transport/socket-link.ts';
import { APP_PORT, CONTROL_PORT, groupName, HEARTBEAT_MS, nodeAddress, NODES } from './places.ts';
import { StubAgent } from './stub-agent.ts';

/**
 * All agents and apps of the bench in one process: `stubs.ts GROUPS`. Prints `ready` once all listen. Then takes lines
 * on its input: `crash N` kills the apps of the masters of N groups at once and prints the wall time of it.
 */
const groups = Number(process.argv[2]);
/** The beats of all agents are spread over a heartbeat in this many steps. */
const STEPS = 10;

const agents: StubAgent[] = [];
const servers: Server[] = [];
for (let group = 0; group < groups; group += 1) {
  for (const [node, name] of NODES.entries()) {
    const agent = new StubAgent(groupName(group), name, systemScheduler);
    agents.push(agent);
    const host = nodeAddress(group, node);
    const control = createServer((socket) => agent.accept(new SocketLink(socket, systemScheduler, null)));
    const app = createServer((socket) => {
      socket.on('error', () => socket.destroy());
      socket.resume();
    });
    servers.push(control.listen({ host, port: CONTROL_PORT }), app.listen({ host, port: APP_PORT }));
  }
}
await Promise.all(servers.map((server) => once(server, 'listening')));

let step = 0;
setInterval(() => {
  const nowMs = performance.now();
  for (let index = step; index < agents.length; index += STEPS) agents[index]?.beat(nowMs);
  step = (step + 1) % STEPS;
}, HEARTBEAT_MS / STEPS);

createInterface({ input: process.stdin }).on('line', (line) => {
  const count = Number(/^crash (\d+)$/.exec(line)?.[1] ?? 0);
  const masters = agents.filter((agent) => agent.isMaster).slice(0, count);
  const wallMs = Date.now();
  for (const agent of masters) agent.crashApp();
  process.stdout.write(`crashed ${masters.length} at ${wallMs}\n`);
});
process.stdout.write('ready\n');
