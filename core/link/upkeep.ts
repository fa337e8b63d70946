// What two neighbours tell each other while their link is open (protocol 3.2): PING and PONG, which measure the round
// trip, and LOAD, the proof of work that each asks of new circuits. Both sides say both every 30 s, whatever happens, so
// that they tell an observer nothing; LOAD also when it changes.
//
//   PING, PONG   8 bytes, the PONG's those of the PING
//   LOAD         1 byte, the bits of the proof

import { DecodeError, equalBytes } from '../bytes/index.ts';
import { type Rng, randomBytes } from '../runtime/index.ts';
import { type ControlMessage, PING } from './control.ts';

/** A guess: often enough for a status page. */
export const UPKEEP_MS = 30_000;
/** Of the round trip's running mean: TCP's (RFC 6298). */
const RTT_SHARE = 1 / 8;

export class Upkeep {
  readonly #rng: Rng;
  #nextMs: number;
  #asked: { readonly data: Uint8Array; readonly atMs: number } | undefined;
  #rttMs: number | undefined;
  #powBits = 0;

  constructor(rng: Rng, nowMs: number) {
    this.#rng = rng;
    this.#nextMs = nowMs;
  }

  get nextMs(): number {
    return this.#nextMs;
  }

  /** Undefined until the first PONG. */
  get rttMs(): number | undefined {
    return this.#rttMs;
  }

  /** What the neighbour asks of new circuits. */
  get powBits(): number {
    return this.#powBits;
  }

  due(ownPowBits: number, nowMs: number): readonly ControlMessage[] {
    if (nowMs < this.#nextMs) return [];
    this.#nextMs = nowMs + UPKEEP_MS;
    this.#asked = { data: randomBytes(this.#rng, PING.length), atMs: nowMs };
    return [{ type: 'ping', data: this.#asked.data }, load(ownPowBits)];
  }

  /** What to answer. DecodeError for what no honest neighbour says. */
  handle({ type, data }: ControlMessage, nowMs: number): readonly ControlMessage[] {
    if (data.length !== (type === 'load' ? 1 : PING.length)) {
      throw new DecodeError(`a ${type} of the wrong length`);
    }
    if (type === 'ping') return [{ type: 'pong', data }];
    if (type === 'pong') this.#onPong(data, nowMs);
    else this.#powBits = data[0] ?? 0;
    return [];
  }

  #onPong(data: Uint8Array, nowMs: number): void {
    if (this.#asked === undefined || !equalBytes(this.#asked.data, data)) return;
    const tookMs = nowMs - this.#asked.atMs;
    this.#rttMs =
      this.#rttMs === undefined ? tookMs : this.#rttMs + RTT_SHARE * (tookMs - this.#rttMs);
    this.#asked = undefined;
  }
}

export function load(powBits: number): ControlMessage {
  return { type: 'load', data: Uint8Array.of(powBits) };
}
