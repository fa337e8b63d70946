// A client that keeps one connection to a module which may not run yet, or not run any more: modules are processes of
// their own that start in any order (the specification's section 4). It tries again with growing pauses, and says once
// that the module is away and once that it is back.
//
// Nothing is queued meanwhile, and the module has forgotten what was asked for on the connection before: the handler's
// `onConnect` asks again.

import { NetworkError, type Runtime, type Timer } from '../runtime/index.ts';
import { type ApiClientOptions, openConnection } from './client.ts';
import type { ApiConnection } from './connection.ts';
import type { MessageOf, MessageType } from './message.ts';

/** Guesses: modules that are started together find each other at once, and one that stays away costs nothing. */
const PAUSE_MIN_MS = 100;
const PAUSE_MAX_MS = 5000;

export interface PersistentClientOptions<In extends MessageType, Out extends MessageType>
  extends ApiClientOptions<In, Out> {
  readonly runtime: Pick<Runtime, 'network' | 'timers' | 'clock'>;
}

export class PersistentClient<In extends MessageType, Out extends MessageType> {
  readonly #options: PersistentClientOptions<In, Out>;
  #connection: ApiConnection<Out, In> | undefined;
  #connections = 0;
  #pause: { readonly timer: Timer; readonly end: () => void } | undefined;
  #away = false;
  #stopped = false;
  #running = Promise.resolve();

  constructor(options: PersistentClientOptions<In, Out>) {
    this.#options = options;
  }

  start(): void {
    this.#running = this.#run();
  }

  /** False, and nothing is sent, while the module is away. */
  send(message: MessageOf<In>): boolean {
    this.#connection?.send(message);
    return this.#connection !== undefined;
  }

  /** When this resolves, the connection is closed and the handler is called no more. */
  async stop(): Promise<void> {
    this.#stopped = true;
    this.#connection?.destroy();
    this.#pause?.timer.cancel();
    this.#pause?.end();
    await this.#running;
  }

  async #run(): Promise<void> {
    let pauseMs = PAUSE_MIN_MS;
    while (!this.#stopped) {
      const heldMs = await this.#hold();
      if (this.#stopped) return;
      this.#isAway();
      // A module that accepts and closes again is as good as away.
      if (heldMs >= PAUSE_MAX_MS) pauseMs = PAUSE_MIN_MS;
      await this.#wait(pauseMs);
      pauseMs = Math.min(2 * pauseMs, PAUSE_MAX_MS);
    }
  }

  /** Connects, and settles when that connection is closed again, with how long it lasted. */
  async #hold(): Promise<number> {
    const { clock } = this.#options.runtime;
    const connection = await this.#open();
    if (connection === undefined) return 0;
    const sinceMs = clock.nowMs();
    if (this.#stopped) {
      connection.destroy();
    } else {
      this.#isBack();
      this.#connection = connection;
      connection.begin();
    }
    await connection.closed;
    this.#connection = undefined;
    return clock.nowMs() - sinceMs;
  }

  async #open(): Promise<ApiConnection<Out, In> | undefined> {
    try {
      return await openConnection(this.#options, ++this.#connections);
    } catch (error) {
      if (error instanceof NetworkError) return undefined;
      throw error;
    }
  }

  #isAway(): void {
    if (!this.#away) this.#options.log.warn('the module is away; trying again until it is back');
    this.#away = true;
  }

  #isBack(): void {
    if (this.#away) this.#options.log.info('the module is back');
    this.#away = false;
  }

  #wait(ms: number): Promise<void> {
    return new Promise((resolve) => {
      const timer = this.#options.runtime.timers.after(ms, resolve);
      this.#pause = { timer, end: resolve };
    });
  }
}
