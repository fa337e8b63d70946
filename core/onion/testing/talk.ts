// API clients that talk through a tunnel, for tests: what they say are numbered messages of full length, and what arrives
// is counted by these numbers.

import { Reader, utf8, Writer } from '../../bytes/index.ts';
import { realRuntime } from '../../runtime/index.ts';
import { INNER_DATA_MAX } from '../geometry.ts';
import { TICK_MS } from '../timing.ts';
import type { OnionClient } from './api-client.ts';

/** In every message. */
export const WORDS = 'for nobody else to read';
const NUMBER_BYTES = 4;
const FILL = utf8(WORDS.padEnd(INNER_DATA_MAX - NUMBER_BYTES, '.'));

export interface Speaker {
  readonly client: OnionClient;
  /** Its own name of the tunnel. */
  readonly tunnel: number;
}

function say({ client, tunnel }: Speaker, number: number): void {
  client.send(tunnel, new Writer(INNER_DATA_MAX).u32(number).bytes(FILL).end());
}

/** The numbers this one heard, in the order they came. */
export function heard({ client, tunnel }: Speaker): readonly number[] {
  return client.received.entries.flatMap((message) => numberIn(message, tunnel) ?? []);
}

/** The longest run of numbers from `start` on, and below `end`, that are not among these. */
export function longestGap(numbers: readonly number[], start: number, end: number): number {
  const present = new Set(numbers);
  let [longest, gap] = [0, 0];
  for (let number = start; number < end; number++) {
    gap = present.has(number) ? 0 : gap + 1;
    longest = Math.max(longest, gap);
  }
  return longest;
}

/** All speak on and on, a message per slot, until they are told to stop. */
export class Talk {
  readonly #speakers: readonly Speaker[];
  #startMs = realRuntime.clock.nowMs();
  #said = 0;
  #timer = realRuntime.timers.after(0, () => this.#speak());

  constructor(...speakers: readonly Speaker[]) {
    this.#speakers = speakers;
  }

  /** How many messages each has sent so far. */
  get said(): number {
    return this.#said;
  }

  /** When all have heard a message that is sent from now on, and `further` later ones have been sent. */
  async goesOnFor(further: number): Promise<void> {
    const last = this.#said + further;
    const hears = ({ client, tunnel }: Speaker): Promise<number> => {
      const isIt = (message: Message): boolean => (numberIn(message, tunnel) ?? -1) >= last;
      return client.received.until(isIt, `message ${last}`);
    };
    await Promise.all(this.#speakers.map(hears));
  }

  /** They have so many more to say, all at once. */
  fallBehind(messages: number): void {
    this.#startMs -= messages * TICK_MS;
  }

  stop(): void {
    this.#timer.cancel();
  }

  /** Whatever is due: the schedule is absolute, so a late turn does not slow it down. */
  #speak(): void {
    const sinceMs = realRuntime.clock.nowMs() - this.#startMs;
    while (this.#said * TICK_MS <= sinceMs) {
      for (const speaker of this.#speakers) say(speaker, this.#said);
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
