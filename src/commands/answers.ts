import { createInterface, type Interface } from 'node:readline';

/**
 * The lines that somebody types, pastes or pipes in, one for each question: those that come before their question wait
 * for it.
 */
export class Answers {
  /** Whether a person is asked, who sees the questions and can answer again. */
  readonly isAsking: boolean;
  readonly #output: NodeJS.WritableStream;
  readonly #lines: Interface;
  readonly #waiting: string[] = [];
  #wanted: ((line: string | null) => void) | null = null;
  #ended = false;

  constructor(input: NodeJS.ReadStream, output: NodeJS.WriteStream) {
    this.isAsking = input.isTTY;
    this.#output = output;
    this.#lines = createInterface(this.isAsking ? { input, output } : { input });
    this.#lines.on('line', (line) => this.#take(line));
    this.#lines.on('close', () => {
      this.#ended = true;
      this.#wanted?.(null);
    });
  }

  /** The next line; null if there are no more: the input has ended, or Ctrl-C did. */
  async next(question: string): Promise<string | null> {
    const early = this.#waiting.shift();
    if (early === undefined && this.#ended) return null;
    if (early === undefined && this.isAsking) {
      this.#lines.setPrompt(question);
      this.#lines.prompt();
    }
    const line = early ?? (await this.#later());
    const isShown = line === null || (early === undefined && this.isAsking);
    if (!isShown) this.#output.write(`${question}${line}\n`);
    return line;
  }

  close(): void {
    this.#lines.close();
  }

  #take(line: string): void {
    if (this.#wanted === null) this.#waiting.push(line);
    else this.#wanted(line);
  }

  #later(): Promise<string | null> {
    return new Promise((resolve) => {
      this.#wanted = (line) => {
        this.#wanted = null;
        resolve(line);
      };
    });
  }
}
