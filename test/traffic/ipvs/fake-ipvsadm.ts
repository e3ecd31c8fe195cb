import { appendFileSync, existsSync, readFileSync, writeFileSync } from 'node:fs';
import { text } from 'node:stream/consumers';
import { Ipvs } from './ipvs-model.ts';

/** Stands for ipvsadm: keeps its table in the file IPVS_STATE, writes what it was called with to IPVS_CALLS. */

const stateFile = process.env['IPVS_STATE'] ?? '';
const callsFile = process.env['IPVS_CALLS'] ?? '';
const [option = '', ...rest] = process.argv.slice(2);
appendFileSync(callsFile, `${[option, ...rest].join(' ')}\n`);

const ipvs = Ipvs.parse(existsSync(stateFile) ? readFileSync(stateFile, 'utf8') : '');
if (option === '-Sn') {
  process.stdout.write(ipvs.save());
} else if (option === '-Ln') {
  const service = ipvs.services.get(rest.slice(0, 2).join(' '));
  process.stdout.write(
    'Prot LocalAddress:Port Scheduler Flags\n  -> RemoteAddress:Port           Forward Weight ActiveConn InActConn\n',
  );
  for (const { server, weight } of service?.servers ?? []) {
    process.stdout.write(`  -> ${server.padEnd(28)} Masq    ${String(weight).padEnd(6)} ${weight * 5}          0\n`);
  }
} else if (option === '-R') {
  // As the real one: goes on behind a line that failed, and tells only of the last.
  for (const line of (await text(process.stdin)).split('\n').filter((one) => one !== '')) {
    appendFileSync(callsFile, `  ${line}\n`);
    process.exitCode = 0;
    try {
      ipvs.execute(line.split(' '));
    } catch (error) {
      process.stderr.write(`${String(error)}\n`);
      process.exitCode = 255;
    }
  }
  writeFileSync(stateFile, ipvs.save());
} else {
  process.stderr.write(`fake ipvsadm: unknown ${option}\n`);
  process.exitCode = 2;
}
