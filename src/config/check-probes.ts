import { formatDuration } from '../kit/units.ts';
import type { GroupConfig, ProbeConfig } from './config.ts';
import { error, type Finding } from './finding.ts';
import type { FilePath } from './problem.ts';

/** Where a key of one probe may stand in the file: there may be one probe, or a list of them. */
type Place = (...key: string[]) => readonly [FilePath, ...FilePath[]];

/** Probes that contradict themselves or lack something. */
export function* checkProbes({ name, app, nodes }: GroupConfig): Generator<Finding> {
  const at = (...keys: (string | number)[]): FilePath => ['groups', name, 'app', ...keys];
  if (app.ready === 'probe' && !app.probe?.of.some(({ from }) => from !== 'controller')) {
    yield error(
      [at('ready')],
      app.probe === null ? 'there is no probe to say that the app is ready' : 'no probe is run by the agent',
      app.probe === null ? 'add probe, or use ready: app' : 'give a probe from: both or agent, or use ready: app',
    );
  }
  const portIsMissing = nodes.some(({ appPort }) => appPort === null);
  for (const [index, probe] of app.probe?.of.entries() ?? []) {
    const place: Place = (...key) => [at('probe', 'of', index, ...key), at('probe', ...key)];
    yield* checkTiming(probe, place);
    yield* checkOptions(probe, place);
    if (portIsMissing && 'port' in probe && probe.port === null) {
      yield error(place(), 'there is no port to probe', 'add app.port, or a port to the probe');
    }
  }
}

function* checkTiming({ intervalMs, fastIntervalMs, timeoutMs }: ProbeConfig, at: Place): Generator<Finding> {
  const interval = formatDuration(intervalMs);
  if (timeoutMs > intervalMs) {
    yield error(
      [...at('timeout'), ...at('interval')],
      `a probe may take ${formatDuration(timeoutMs)}, longer than the interval of ${interval}`,
      `use timeout: ${interval} or less`,
    );
  }
  if (fastIntervalMs > intervalMs) {
    yield error(
      at('fastInterval'),
      `${formatDuration(fastIntervalMs)} is longer than the interval of ${interval}`,
      `use fastInterval: ${interval} or less`,
    );
  }
}

function* checkOptions(probe: ProbeConfig, at: Place): Generator<Finding> {
  if ((probe.type === 'http' || probe.type === 'https') && probe.method === 'HEAD') {
    for (const key of ['contains', 'lacks', 'digest'] as const) {
      if (probe[key] !== null) yield error(at(key), 'an answer to HEAD has no body', 'use method: GET, or remove it');
    }
  }
  if ((probe.type === 'tls' || probe.type === 'https') && probe.ca !== null && !probe.verify) {
    yield error(at('ca'), 'nothing is verified', 'add verify: true, or remove it');
  }
  if (probe.type === 'udp' && probe.expect !== null && probe.reply === 'optional') {
    yield error(at('expect'), 'an answer is expected that need not come', 'use reply: required, or remove it');
  }
  if (probe.type === 'mysql' || probe.type === 'postgres') {
    for (const key of ['passwordFile', 'query'] as const) {
      if (probe[key] !== null && probe.user === null) yield error(at(key), 'nobody logs in', 'add user, or remove it');
    }
  }
}
