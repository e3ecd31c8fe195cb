/** The `$NAME=value` definitions of a configuration, and what they are put in for. */
export class Parameters {
  readonly #values = new Map<string, string>();

  define(name: string, value: string): void {
    this.#values.set(name, value);
  }

  /**
   * The text with every `$NAME` (before a blank) and `${NAME}` that is defined replaced, also in what was put in.
   * Null if that has no end.
   */
  substitute(text: string): string | null {
    let result = text;
    for (let round = 0; round < ROUNDS_LIMIT && result.length < LENGTH_LIMIT; round += 1) {
      const before = result;
      result = before.replaceAll(PARAMETER, (whole, braced: string | undefined, bare: string | undefined) => {
        return this.#values.get(braced ?? bare ?? '') ?? whole;
      });
      if (result === before) return result;
    }
    return null;
  }
}

const PARAMETER = /\$\{([A-Za-z_]\w*)\}|\$([A-Za-z_]\w*)(?=\s|$)/g;
const ROUNDS_LIMIT = 50;
const LENGTH_LIMIT = 1_000_000;
