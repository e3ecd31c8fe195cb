import { HsctlError, messageOf } from '../../kit/errors.ts';
import { type NodeTrafficDeps, TOOL_TIMEOUT_MS, type TrafficDeps } from '../deps.ts';
import { OpenTool } from '../open-tool.ts';

/** Carries out commands of nftables, one a line, all of them or none. @throws HsctlError('failed') with what nft says. */
export type ApplyNft = (commands: string) => Promise<void>;

/** By a program for each change: for those that make few. */
export function nftOnce(deps: TrafficDeps): ApplyNft {
  return async (input) => {
    try {
      await deps.run(['nft', '-f', '-'], { timeoutMs: TOOL_TIMEOUT_MS, input });
    } catch (error) {
      throw refusal(messageOf(error), error);
    }
  };
}

/** By an `nft -i` that is kept open, in half a millisecond; by a program for each change while there is none. */
export class OpenNft {
  readonly #tool: OpenTool;
  readonly #once: ApplyNft;
  readonly #deps: NodeTrafficDeps;

  constructor(deps: NodeTrafficDeps) {
    this.#deps = deps;
    this.#once = nftOnce(deps);
    this.#tool = new OpenTool(
      {
        command: ['nft', '-i'],
        // Where it would keep a history of what it was told.
        env: { HOME: '/dev/null' },
        endQuery: 'describe tcp dport',
        endLine: /^payload expression, /,
      },
      deps,
    );
  }

  /** Gets ready to be quick. Never rejects. */
  async start(): Promise<void> {
    try {
      await this.#tool.start();
      await this.#tool.submit([]);
    } catch (error) {
      // Some builds of nft have no such mode.
      this.#deps.logger.debug('nft is started for each change', { error: messageOf(error) });
      await this.#tool.close();
    }
  }

  readonly apply: ApplyNft = async (commands) => {
    // What is in one line is done as a whole or not at all.
    const line = commands.trim().replaceAll('\n', '; ');
    const answer = this.#tool.ready ? await this.#tool.submit([line]).catch(() => null) : null;
    // Commands may be carried out twice: whoever gives them says how things should be.
    if (answer === null) return this.#once(commands);
    if (answer.complaints.length > 0) throw refusal(answer.complaints.join('; '));
  };

  close(): Promise<void> {
    return this.#tool.close();
  }
}

function refusal(said: string, cause?: unknown): HsctlError {
  return new HsctlError('failed', said, 'the process needs CAP_NET_ADMIN, the kernel nf_tables', { cause });
}
