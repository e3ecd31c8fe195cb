import { chmodSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** A folder of a test, with small programs in it. */
export class TemporaryFolder {
  readonly path = mkdtempSync(join(tmpdir(), 'hsctl-traffic-'));

  /** Writes an executable script for /bin/sh; returns its path. */
  program(name: string, script: string): string {
    const path = join(this.path, name);
    writeFileSync(path, `#!/bin/sh\n${script}\n`);
    chmodSync(path, 0o755);
    return path;
  }

  /** A file's text; empty if there is none. */
  read(name: string): string {
    try {
      return readFileSync(join(this.path, name), 'utf8');
    } catch {
      return '';
    }
  }

  write(name: string, text: string): void {
    writeFileSync(join(this.path, name), text);
  }

  delete(...names: readonly string[]): void {
    for (const name of names) rmSync(join(this.path, name), { force: true });
  }

  remove(): void {
    rmSync(this.path, { recursive: true, force: true });
  }
}
