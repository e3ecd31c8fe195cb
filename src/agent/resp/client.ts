import type { Socket } from 'node:net';
import { HsctlError, messageOf } from '../../kit/errors.ts';
import type { Arguments } from '../../protocol/resp/arguments.ts';
import { CommandParser } from '../../protocol/resp/command-parser.ts';
import type { RespWriter } from '../../protocol/resp/resp-writer.ts';
import type { AppConnection } from './app-observer.ts';
import type { Command, CommandKind } from './command.ts';
import type { ServiceContext } from './context.ts';
import { obstacle, unknownCommand, unknownSubcommand, wrongNumber } from './dispatch.ts';
import type { Sender } from './input-budget.ts';
import { Outlet } from './outlet.ts';
import { Output } from './output.ts';
import { Session } from './session.ts';

/** Reasons, as bits, for which no further command of a client is taken at present. */
const HELD = 1;
const BLOCKED = 2;
const FULL = 4;
const CLOSING = 8;

/** Why those are closed who wait for a confirmation that does not come. */
export const REIGN_LOST = 'the reign ended before its writes were confirmed';

/** What is read ahead of a client whose commands are not taken, so that its going is noticed. */
const READ_AHEAD_BYTES = 256 * 1024;

/**
 * One connection. Commands are taken as they come, replies go out in order: at the end of the turn, or when what
 * they tell of is confirmed. Not more than a bounded number of replies and of unread commands is kept: beyond it the
 * socket is not read, which is how the client learns to wait.
 */
export class Client implements AppConnection, Sender {
  readonly id: number;
  readonly context: ServiceContext;
  readonly session: Session;
  /** Where replies are written. */
  readonly out: RespWriter;
  /** Address, for logs and CLIENT LIST. */
  readonly peer: string;
  requests = 0;
  appName = '';
  readonly since: number;
  lastActive: number;
  lastCommand = '';

  readonly #socket: Socket;
  readonly #parser = new CommandParser();
  readonly #output = new Output();
  readonly #outlet: Outlet;
  #stops = 0;
  #paused = false;
  /** There is no room for more of its present command. */
  #crowdedOut = false;
  #blocked: AbortController | null = null;
  #isApp = false;
  #closed = false;

  constructor(id: number, socket: Socket, peer: string, context: ServiceContext) {
    this.id = id;
    this.context = context;
    this.peer = peer;
    this.out = this.#output.writer;
    this.since = this.lastActive = context.seconds;
    this.session = new Session(context.password === null);
    this.#parser.restricted = !this.session.authenticated;
    this.#socket = socket;
    this.#outlet = new Outlet(socket, this.#output);
    socket.on('data', (chunk: Buffer) => this.#received(chunk));
    socket.on('drain', () => this.moreMayGo());
    socket.on('end', () => this.#ended());
    socket.on('error', (error) => this.#gone(messageOf(error)));
    socket.on('close', () => this.#gone('closed by the client'));
  }

  /** Whether its commands are not taken at present. */
  get stalled(): boolean {
    return this.#stops !== 0;
  }

  /** Whether its next command waits for the gate. */
  get held(): boolean {
    return (this.#stops & HELD) !== 0;
  }

  get blocked(): boolean {
    return this.#blocked !== null;
  }

  /** Bytes of commands and of replies that wait. */
  get pendingBytes(): { readonly input: number; readonly output: number } {
    return { input: this.#parser.buffered, output: this.#output.length + this.#socket.writableLength };
  }

  /** HS APP. */
  declareApp(name: string): void {
    this.appName = name;
    if (this.#isApp) return;
    this.#isApp = true;
    this.context.observer.appJoined(this);
  }

  /** The right password was given. */
  authenticated(): void {
    this.session.authenticated = true;
    this.#parser.restricted = false;
  }

  /** Begins anew as a fresh connection would, as far as RESET says so. */
  reset(): void {
    this.session.reset(this.context.password === null);
    this.out.version = 2;
    this.#parser.restricted = !this.session.authenticated;
  }

  /** No more commands are taken; the connection is closed once its replies have gone. */
  closeAfterReplies(): void {
    this.#stops |= CLOSING;
  }

  /** Closes the connection at once, replies or not. */
  drop(reason: string): void {
    if (this.#closed) return;
    this.context.warnings.warn(reason, 'connection of a client dropped', { client: this.peer, id: this.id, reason });
    this.#gone(reason);
  }

  /** Closes the connection for a reason that is not its own. */
  close(reason: string): void {
    this.#gone(reason);
  }

  /**
   * Whether a command (or transaction) of this kind may be done now. If not it was answered, or is kept until the gate
   * changes.
   */
  admits(kind: CommandKind, inTransaction = false): boolean {
    if (kind === 'other') return true;
    const refusal = kind === 'write' ? this.#gateRefusal() : this.context.replica.readRefusal();
    if (refusal === null) return !this.held;
    this.out.error(inTransaction ? `EXECABORT Transaction discarded because of: ${refusal}` : refusal);
    return false;
  }

  /** Does a command that was admitted; its reply waits for what it saw or wrote. */
  perform(command: Command, args: Arguments): void {
    const start = this.out.position;
    try {
      command.run(this, args);
    } catch (error) {
      this.#failed(error, start, command);
    }
    if (command.kind === 'other') return;
    const seq = this.context.replica.writtenSeq();
    this.#output.waitFor(seq);
    if (command.kind === 'write') this.session.lastWrite = seq;
  }

  /** What was written to `out` waits for `seq`. */
  waitFor(seq: number): void {
    this.#output.waitFor(seq);
  }

  /** Does a command that takes its time: no further command of this client is taken until `work` has written its reply. */
  suspend(work: (signal: AbortSignal) => Promise<void>): void {
    const abort = new AbortController();
    this.#blocked = abort;
    this.#stops |= BLOCKED;
    const resume = (): void => {
      this.#blocked = null;
      if (this.#closed) return;
      this.#stops &= ~BLOCKED;
      this.work();
    };
    work(abort.signal).then(resume, (error: unknown) => {
      if (!this.#closed) this.#failed(error, this.out.position, null);
      resume();
    });
  }

  /** Sends a message that answers nothing. */
  push(write: (out: RespWriter) => void): void {
    if (this.#closed) return;
    write(this.out);
    this.#output.seal();
    this.flush();
  }

  /** Takes up a write that was held. */
  gateChanged(): void {
    this.#stops &= ~HELD;
    this.context.held.delete(this);
    this.work();
  }

  /** Takes what commands there are, as far as they may be taken, and sends what replies may be sent. */
  work(): void {
    const parser = this.#parser;
    const { reignsLost } = this.context;
    do {
      while (this.#stops === 0 && parser.next()) {
        this.#execute(parser.command);
        if (this.#output.length > this.context.limits.outputBytes) this.#stops |= FULL;
      }
      if (parser.error !== null && this.#stops === 0) this.#protocolError(parser.error);
      if (this.context.reignsLost !== reignsLost && this.#toldTooMuch) return this.close(REIGN_LOST);
      this.#output.seal();
      this.flush();
    } while (this.#roomAgain());
    this.#weigh();
    this.#resume();
  }

  /** Sends replies that are confirmed, as much as the socket takes. */
  flush(): void {
    if (this.#closed) return;
    const output = this.#output;
    output.release(this.context.replica.confirmedSeq());
    this.#outlet.send();
    if (output.waiting) this.context.waiting.add(this);
    else this.context.waiting.delete(this);
    if ((this.#stops & CLOSING) !== 0 && output.length === 0) this.#socket.destroySoon();
  }

  /** There is room again for more of its present command. */
  readOn(): void {
    this.#crowdedOut = false;
    this.#resume();
  }

  /** After a confirmation, or when the socket takes more. */
  moreMayGo(): void {
    this.flush();
    if (this.#roomAgain()) this.work();
  }

  /** Every second: drops the client if it has not read for too long. */
  second(): void {
    if (this.#outlet.second() >= this.context.limits.unreadS) this.drop('does not read its replies');
  }

  #gateRefusal(): string | null {
    const gate = this.context.replica.gate();
    if (gate.state === 'refuse') return gate.error;
    if (gate.state === 'hold') {
      this.#parser.rewind();
      this.#stops |= HELD;
      this.context.held.add(this);
    }
    return null;
  }

  #received(chunk: Buffer): void {
    if ((this.#stops & CLOSING) !== 0) return;
    this.lastActive = this.context.seconds;
    this.#parser.push(chunk);
    if (this.#stops === 0) this.work();
    else this.#weigh();
    if (this.#crowdedOut || (this.#stops !== 0 && this.#parser.buffered > READ_AHEAD_BYTES)) {
      this.#paused = true;
      this.#socket.pause();
    }
  }

  #weigh(): void {
    if (this.#closed) return;
    const bytes = this.#parser.buffered + (this.session.transaction?.bytes ?? 0);
    this.#crowdedOut = !this.context.inputs.weigh(this, bytes);
  }

  #resume(): void {
    if (!this.#paused || this.#stops !== 0 || this.#crowdedOut) return;
    this.#paused = false;
    this.#socket.resume();
  }

  #execute(args: Arguments): void {
    this.requests += 1;
    this.context.counts.commands += 1;
    let command = this.context.commands.find(args.bytes, args.start(0), args.end(0));
    if (command === undefined) return this.#refuse(unknownCommand(args));
    if (command.subcommands !== null && args.count > 1) {
      const part = command.subcommands.find(args.bytes, args.start(1), args.end(1));
      if (part === undefined) return this.#refuse(unknownSubcommand(command, args));
      command = part;
    }
    this.lastCommand = command.name;
    if (command.arity < 0 ? args.count < -command.arity : args.count !== command.arity) {
      return this.#refuse(wrongNumber(command));
    }
    if (!this.session.plain) {
      const problem = obstacle(command, this.session, this.out.version);
      if (problem !== null) return this.#refuse(problem);
      if (this.session.transaction !== null && !command.traits.has('immediate')) return this.#queue(command, args);
    }
    if (this.admits(command.kind)) this.perform(command, args);
  }

  /** Within MULTI. */
  #queue(command: Command, args: Arguments): void {
    const { transaction } = this.session;
    const gate = this.context.replica.gate();
    if (command.kind === 'write' && gate.state === 'refuse') return this.#refuse(gate.error);
    if (transaction?.add(command, args) === true) this.out.simple('QUEUED');
    else this.#refuse('ERR transaction is too large');
  }

  #refuse(error: string): void {
    if (this.session.transaction !== null) this.session.transaction.broken = true;
    this.out.error(error);
  }

  /** Replaces a reply that could not be completed by an error. */
  #failed(error: unknown, start: number, command: Command | null): void {
    this.out.truncate(start);
    if (error instanceof HsctlError) {
      const prefix = error.code === 'disk' && command?.kind === 'write' ? 'MISCONF' : 'ERR';
      this.out.error(`${prefix} ${error.message}`);
      return;
    }
    this.context.warnings.warn('internal error', 'a command failed for a reason that it should not', { error });
    this.out.error('ERR internal error');
    this.closeAfterReplies();
  }

  #protocolError(error: string): void {
    this.context.warnings.warn('protocol error', 'a client does not speak the Redis protocol', {
      client: this.peer,
      error,
    });
    this.out.error(error);
    this.closeAfterReplies();
  }

  /**
   * To be asked when one of the commands itself ended the reign, by what the disk refused: whether something was written
   * of what nobody may confirm any more. A mere error may still be told.
   */
  get #toldTooMuch(): boolean {
    return this.#output.waitsBeyond(this.context.replica.confirmedSeq());
  }

  #roomAgain(): boolean {
    if ((this.#stops & FULL) === 0 || this.#output.length > this.context.limits.outputBytes / 4) return false;
    this.#stops &= ~FULL;
    return true;
  }

  /** The client will send nothing more. An app is gone by that; others may still want the replies to what they sent. */
  #ended(): void {
    if (this.#isApp || (this.#stops & (HELD | BLOCKED | FULL)) !== 0) return this.#gone('closed by the client');
    this.closeAfterReplies();
    this.flush();
  }

  #gone(reason: string): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#stops |= CLOSING;
    this.context.clients.delete(this.id);
    this.context.waiting.delete(this);
    this.context.held.delete(this);
    this.context.inputs.forget(this);
    this.#blocked?.abort();
    this.#socket.destroy();
    if (this.#isApp) this.context.observer.appLeft(this, reason);
  }
}
