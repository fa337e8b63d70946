// Two API clients that talk through a tunnel, for tests: each sends a numbered message of full length per slot, and what
// arrives is counted by these numbers.

import { Reader, Writer } from '../../bytes/index.ts';
import { realRuntime } from '../../runtime/index.ts';
import { INNER_DATA_MAX } from '../geometry.ts';
import { TICK_MS } from '../timing.ts';
import type { OnionClient } from './api-client.ts';

const NUMBER_BYTES = 4;
const FILL = new Uint8Array(INNER_DATA_MAX - NUMBER_BYTES).fill(0x5a);

export interface Speaker {
  readonly client: OnionClient;
  /** Its own name of the tunnel. */
  readonly tunnel: number;
}

/** Speaks on and on, at the tunnel's own rate, until it is told to stop. */
export class Talk {
  readonly #speakers: readonly Speaker[];
  readonly #startMs = realRuntime.clock.nowMs();
  #said = 0;
  #timer = realRuntime.timers.after(0, () => this.#speak());

  constructor(...speakers: readonly Speaker[]) {
    this.#speakers = speakers;
  }

  /** How many messages each has sent so far. */
  get said(): number {
    return this.#said;
  }

  /** When this one has heard a message that is sent from now on, and then `further` later ones. */
  async heardBy({ client, tunnel }: Speaker, further: number): Promise<void> {
    const last = this.#said + further;
    const isIt = (message: Message): boolean => (numberIn(message, tunnel) ?? -1) >= last;
    await client.received.until(isIt, `message ${last}`);
  }

  stop(): void {
    this.#timer.cancel();
  }

  /** Whatever is due: the schedule is absolute, so a late turn does not slow it down. */
  #speak(): void {
    const sinceMs = realRuntime.clock.nowMs() - this.#startMs;
    while (this.#said * TICK_MS <= sinceMs) {
      const data = new Writer(INNER_DATA_MAX).u32(this.#said).bytes(FILL).end();
      for (const { client, tunnel } of this.#speakers) client.send(tunnel, data);
      this.#said++;
    }
    const nextMs = this.#startMs + this.#said * TICK_MS - realRuntime.clock.nowMs();
    this.#timer = realRuntime.timers.after(Math.max(0, nextMs), () => this.#speak());
  }
}

type Message = OnionClient['received']['entries'][number];

function numberIn(message: Message, tunnel: number): number | undefined {
  if (message.type !== 'onion tunnel data' || message.tunnelId !== tunnel) return undefined;
  return new Reader(message.data).u32();
}

/** The numbers one of them heard, in the order they came. */
export function heard({ client, tunnel }: Speaker): readonly number[] {
  return client.received.entries.flatMap((message) => numberIn(message, tunnel) ?? []);
}

/** The longest run of numbers below `end`, and from `start` on, that are not among these. */
export function longestGap(numbers: readonly number[], end: number, start = 0): number {
  const present = new Set(numbers);
  let [longest, gap] = [0, 0];
  for (let number = start; number < end; number++) {
    gap = present.has(number) ? 0 : gap + 1;
    longest = Math.max(longest, gap);
  }
  return longest;
}
