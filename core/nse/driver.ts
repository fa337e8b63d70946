// Drives size estimation: gives the machine time, items of Gossip and proofs of work, and carries out what it wants.

import type { PowTask } from '../crypto/index.ts';
import type { Flood, FloodItem } from '../module-api/index.ts';
import type { Runtime, Timer } from '../runtime/index.ts';
import type { Fault, Mishap } from './claims.ts';
import { type Estimate, Nse, type NseInput, type NseOptions, type NseOutput } from './nse.ts';
import { NSE_DATA_TYPE } from './wire.ts';

export interface NseNodeOptions extends Omit<NseOptions, 'rng'> {
  readonly runtime: Runtime;
  readonly flood: Flood;
  /** How many neighbours Gossip has, if that can be known: the estimate is never lower. */
  connectedPeers(): number;
  /** The answer to a proof of work, found without holding up anything else. Rejects when the signal says so. */
  solve(task: PowTask, signal: AbortSignal): Promise<Uint8Array>;
}

export interface NseStatus extends Estimate {
  /** How many rounds the estimate rests on. */
  readonly rounds: number;
  /** Messages of others that were not passed on, by reason. */
  readonly dropped: ReadonlyMap<Fault | Mishap, number>;
}

export class NseNode {
  readonly #options: NseNodeOptions;
  readonly #nse: Nse;
  /** Waiting for their answer: no more than Gossip asks about in its 5 s. */
  readonly #items = new Map<number, FloodItem>();
  readonly #dropped = new Map<Fault | Mishap, number>();
  readonly #stopping = new AbortController();
  #lastItem = 0;
  #timer: Timer | undefined;

  constructor(options: NseNodeOptions) {
    this.#options = options;
    this.#nse = new Nse({ ...options, rng: options.runtime.rng });
    this.#handle({ type: 'tick' });
    options.flood.listen(NSE_DATA_TYPE, {
      onItem: (item) => this.#onItem(item),
      onUp: () => this.#handle({ type: 'flood', isUp: true }),
      onDown: () => this.#handle({ type: 'flood', isUp: false }),
    });
  }

  estimate(): Estimate {
    return this.#nse.estimate(this.#options.connectedPeers());
  }

  get status(): NseStatus {
    return { ...this.estimate(), rounds: this.#nse.counted, dropped: this.#dropped };
  }

  stop(): void {
    this.#stopping.abort();
    this.#timer?.cancel();
  }

  #onItem(item: FloodItem): void {
    this.#items.set(++this.#lastItem, item);
    this.#handle({ type: 'item', item: this.#lastItem, data: item.data });
  }

  #handle(input: NseInput): void {
    if (this.#stopping.signal.aborted) return;
    const { clock, timers } = this.#options.runtime;
    const now = { nowMs: clock.nowMs(), wallMs: clock.wallMs() };
    for (const output of this.#nse.handle(input, now)) this.#act(output);
    this.#timer?.cancel();
    const delayMs = this.#nse.nextDeadlineMs(now) - now.nowMs;
    this.#timer = timers.after(delayMs, () => this.#handle({ type: 'tick' }));
  }

  #act(output: NseOutput): void {
    switch (output.type) {
      case 'announce':
        this.#options.flood.announce(NSE_DATA_TYPE, output.data);
        break;
      case 'solve':
        void this.#solve(output);
        break;
      case 'pass on':
        this.#answer(output);
        break;
      default:
        this.#dropped.set(output.why, (this.#dropped.get(output.why) ?? 0) + 1);
        this.#answer(output);
    }
  }

  #answer({ item, type }: Extract<NseOutput, { readonly item: number }>): void {
    this.#items.get(item)?.answer(type);
    this.#items.delete(item);
  }

  async #solve({ epoch, task }: Extract<NseOutput, { readonly type: 'solve' }>): Promise<void> {
    const { signal } = this.#stopping;
    try {
      this.#handle({ type: 'solved', epoch, nonce: await this.#options.solve(task, signal) });
    } catch (error) {
      if (!signal.aborted) throw error;
    }
  }
}
