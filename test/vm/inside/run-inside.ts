/**
 * Runs test files inside the VM and sends each result as a line of JSON to a serial port:
 *   run-inside.ts /dev/ttyS1 FILE...
 * What tests print goes to the console.
 */
import { appendFileSync } from 'node:fs';
import { basename } from 'node:path';
import { run } from 'node:test';
import type { TestEvent } from 'node:test/reporters';
import { inspect } from 'node:util';
import type { VmLine, VmResult } from '../result.ts';

const FILE_LIMIT_MS = 270_000;
const [port = '', ...files] = process.argv.slice(2);
/** Names of the tests that the present one is in, outermost first. */
const names: string[] = [];
/** The file that runs; tests may stand in another one, which it imports. */
let present = '';

function send(line: VmLine): void {
  appendFileSync(port, `${JSON.stringify(line)}\n`);
}

function resultOf(event: Extract<TestEvent, { type: 'test:pass' | 'test:fail' }>): VmResult | null {
  const { name, nesting, details, skip, todo } = event.data;
  const path = [...names.slice(0, nesting), name].map((one) => (one === present ? 'the whole file' : one));
  const result = {
    kind: 'result',
    name: [basename(present), ...path].join(' > '),
    durationMs: details.duration_ms,
  } as const;
  if (event.type === 'test:fail') {
    const { error } = event.data.details;
    // A suite fails with its tests, which were told; by itself only if a hook of its own failed.
    if ('failureType' in error && error.failureType === 'subtestsFailed') return null;
    return { ...result, outcome: 'failed', failure: inspect(error.cause ?? error) };
  }
  if (skip !== undefined || todo !== undefined) return { ...result, outcome: 'skipped', failure: '' };
  if (name === present) return { ...result, outcome: 'failed', failure: 'no test ran in this file' };
  return details.type === 'suite' ? null : { ...result, outcome: 'passed', failure: '' };
}

const events: AsyncIterable<TestEvent> = run({ files, concurrency: 1, timeout: FILE_LIMIT_MS });
for await (const event of events) {
  if (event.type === 'test:dequeue' && event.data.name === event.data.file) present = event.data.file;
  if (event.type === 'test:start') names[event.data.nesting] = event.data.name;
  if (event.type === 'test:stdout' || event.type === 'test:stderr') process.stdout.write(event.data.message);
  if (event.type === 'test:stdout') send({ kind: 'said', text: event.data.message.trimEnd() });
  if (event.type !== 'test:pass' && event.type !== 'test:fail') continue;
  const result = resultOf(event);
  if (result !== null) send(result);
}
send({ kind: 'end' });
