// One API connection, at either end: messages over a stream, with the limits of protocol 11. A violation of
// voidphone-api.md ("Framing"), a message that does not come to its end, or output that nobody reads closes this one
// connection, with one line in the log; nothing else is disturbed.

import type { Literal, Logger } from '../log/index.ts';
import type { StreamHandlers, TcpStream, Timer, Timers } from '../runtime/index.ts';
import { Framing } from './framing.ts';
import { encodeMessage, type MessageOf, type MessageType } from './message.ts';
import { Violation } from './violation.ts';

/** Protocol 11; counted from a message's first byte. */
export const PARTIAL_MESSAGE_MS = 10_000;
/** Protocol 11. */
export const OUTPUT_BYTES_MAX = 4 << 20;

/** A connection as those see it who talk over it. `Out` are the types that they send. */
export interface Connection<Out extends MessageType> {
  /** For maps and logs: never twice in one server or client. */
  readonly id: number;
  /** Settled after the handler's `onClose`. */
  readonly closed: Promise<void>;
  /** Throws RangeError when a field does not fit. Does nothing once the connection is closed. */
  send(message: MessageOf<Out>): void;
  /** Closes at once and logs why; what is still queued is lost. */
  close<const R extends string>(reason: Literal<R>): void;
  /** Sends what is queued, then closes. Takes no more messages. */
  end(): void;
}

/** What is done with connections and what comes over them; `In` are the types that can come. */
export interface ApiHandler<In extends MessageType, Out extends MessageType> {
  onConnect?(connection: Connection<Out>): void;
  onMessage(connection: Connection<Out>, message: MessageOf<In>): void;
  /** Whoever closed. Once, as the last call, and never from within a method of the connection. */
  onClose?(connection: Connection<Out>): void;
}

export interface ConnectionOptions<In extends MessageType, Out extends MessageType> {
  readonly id: number;
  readonly stream: TcpStream;
  readonly takes: readonly In[];
  readonly timers: Timers;
  readonly log: Logger;
  readonly handler: ApiHandler<In, Out>;
}

export class ApiConnection<In extends MessageType, Out extends MessageType>
  implements Connection<Out>
{
  readonly id: number;
  /** What the stream has to call. */
  readonly handlers: StreamHandlers = {
    onData: (bytes) => this.#onData(bytes),
    onClose: () => this.#onClose(),
  };
  readonly #options: ConnectionOptions<In, Out>;
  readonly #framing: Framing<In>;
  readonly #closed = Promise.withResolvers<void>();
  #partialMessage: Timer | undefined;
  #begun = false;
  #open = true;

  constructor(options: ConnectionOptions<In, Out>) {
    this.id = options.id;
    this.#options = options;
    this.#framing = new Framing(options.takes);
  }

  /** Tells the handler, which hears of the end of what has begun only. */
  begin(): void {
    this.#begun = true;
    this.#options.handler.onConnect?.(this);
  }

  get closed(): Promise<void> {
    return this.#closed.promise;
  }

  send(message: MessageOf<Out>): void {
    const bytes = encodeMessage(message);
    if (!this.#open) return;
    const { stream } = this.#options;
    if (stream.bufferedBytes + bytes.length > OUTPUT_BYTES_MAX) {
      this.close('more than 4 MiB are waiting to be read');
    } else {
      stream.write(bytes);
    }
  }

  close<const R extends string>(reason: Literal<R>): void {
    if (!this.#open) return;
    this.#options.log.warn(reason, { closedConnection: this.id });
    this.destroy();
  }

  end(): void {
    if (!this.#open) return;
    this.#silence();
    this.#options.stream.end();
  }

  /** Closes at once, without a word. */
  destroy(): void {
    this.#silence();
    this.#options.stream.destroy();
  }

  #silence(): void {
    this.#open = false;
    this.#partialMessage?.cancel();
  }

  #onClose(): void {
    this.#silence();
    if (this.#begun) this.#options.handler.onClose?.(this);
    this.#closed.resolve();
  }

  #onData(bytes: Uint8Array): void {
    try {
      this.#take(bytes);
    } catch (error) {
      if (!(error instanceof Violation)) throw error;
      const { reason, typeNumber } = error;
      this.#options.log.warn(reason, { closedConnection: this.id, type: typeNumber });
      this.destroy();
    }
  }

  #take(bytes: Uint8Array): void {
    if (!this.#open) return;
    for (const message of this.#framing.push(bytes)) {
      this.#partialMessage?.cancel();
      this.#partialMessage = undefined;
      this.#options.handler.onMessage(this, message);
      if (!this.#open) return;
    }
    if (!this.#framing.midMessage) return;
    this.#partialMessage ??= this.#options.timers.after(PARTIAL_MESSAGE_MS, () =>
      this.close('a message is not complete after 10 s'),
    );
  }
}
