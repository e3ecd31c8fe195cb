import { execFile, execFileSync } from 'node:child_process';
import { PATIENCE } from './patience.ts';

/** Runs a program that ends within `limitMs` and gives its standard output. Rejects with its arguments and standard error. */
export function tool(argv: readonly string[], input = '', limitMs = 20_000 * PATIENCE): Promise<string> {
  const [program = '', ...rest] = argv;
  return new Promise((resolve, reject) => {
    const child = execFile(program, rest, { timeout: limitMs, maxBuffer: 16 << 20 }, (error, stdout, stderr) => {
      if (error) reject(new Error(`${argv.join(' ')}: ${stderr.trim() || error.message}`));
      else resolve(stdout);
    });
    child.stdin?.on('error', () => {}); // the program may end without reading
    child.stdin?.end(input);
  });
}

/** The same for clean-up on the way out of the process, where nothing can be awaited; failures give ''. */
export function toolSync(argv: readonly string[]): string {
  const [program = '', ...rest] = argv;
  try {
    return execFileSync(program, rest, { encoding: 'utf8', timeout: 120_000, stdio: ['ignore', 'pipe', 'ignore'] });
  } catch {
    return '';
  }
}
