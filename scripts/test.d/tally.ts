import type { TestEvent } from 'node:test/reporters';

/** What a run of node's test runner came to, from its events. */
export class Tally {
  passed = 0;
  failed = 0;
  /** Skipped and to-do tests, each with its file: what CI does not accept. */
  readonly skipped: string[] = [];
  /** Files in which no test ran: the runner itself would call them passed. */
  readonly emptyFiles: string[] = [];
  #failedSuites = 0;

  add(event: TestEvent): void {
    if (event.type !== 'test:pass' && event.type !== 'test:fail') return;
    const { name, file = '', details, skip, todo } = event.data;
    const wholeFile = name === file;
    if (event.type === 'test:fail' && todo === undefined) {
      if (details.type === 'suite') this.#failedSuites += 1;
      else this.failed += 1;
    } else if (skip !== undefined || todo !== undefined) this.skipped.push(`${file}: ${name}`);
    else if (wholeFile) this.emptyFiles.push(file);
    else if (details.type !== 'suite') this.passed += 1;
  }

  /** Why the run may not count as a success; empty if it may. */
  complaints(ci: boolean): string[] {
    const complaints = this.emptyFiles.map((file) => `no test ran in ${file}`);
    // A suite fails with its tests; alone only when a hook of its own failed.
    if (this.failed === 0 && this.#failedSuites > 0) complaints.push(`${this.#failedSuites} suites failed in a hook`);
    if (this.passed + this.failed === 0) complaints.push('no test ran at all');
    if (ci) complaints.push(...this.skipped.map((name) => `skipped, which CI does not accept: ${name}`));
    return complaints;
  }

  /** The last line of a run, as `3 passed, 0 failed, 0 skipped`. */
  closingLine(): string {
    return `${this.passed} passed, ${this.failed} failed, ${this.skipped.length} skipped`;
  }
}
