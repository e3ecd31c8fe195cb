import { type MessagePort, parentPort } from 'node:worker_threads';
import { IndexBuild } from './index-builder.ts';
import type { FromIndexThread, ToIndexThread } from './index-thread-messages.ts';

/** The thread that builds an index: see `threadIndexBuilder`, which starts it. */

// Null where the module is loaded outside a thread, as by the test of the package.
if (parentPort !== null) listen(parentPort);

function listen(port: MessagePort): void {
  let build = new IndexBuild(0);
  port.on('message', (message: ToIndexThread) => {
    if (message.type === 'start') {
      build = new IndexBuild(message.keys);
    } else if (message.type === 'add') {
      const entries = build.add(message.id, message.entries);
      if (entries > 0) port.postMessage({ type: 'taken', entries } satisfies FromIndexThread);
    } else {
      const index = build.finish();
      // Tables without a key share one buffer.
      const buffers = new Set([...index.tables, index.used, index.liveBytes].map((part) => part.buffer as ArrayBuffer));
      port.postMessage({ type: 'built', index } satisfies FromIndexThread, [...buffers]);
    }
  });
}
