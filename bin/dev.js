#!/bin/sh
':' //; HSCTL_SOURCE=1 exec "$(dirname -- "$(readlink -f -- "$0")")/hsctl.js" "$@"

// hsctl from its TypeScript source, whether dist is there or not. The line above does the work when run by a shell.
process.env.HSCTL_SOURCE = '1';
await import('./hsctl.js');
