// Whether neighbours are still there, and how far away: a PING when nothing was measured for a while.

import { equalBytes } from '../bytes/index.ts';
import { type Rng, randomBytes } from '../runtime/index.ts';
import type { Neighbour } from './neighbours.ts';
import type { SendMessage } from './port.ts';
import { NONCE_BYTES } from './wire.ts';

/** Twice as long as protocol 4 allows. */
const PING_MS = 20_000;
/** Three PINGs. A guess. */
const SILENCE_MAX_MS = 60_000;
/** Until HELLO, which is the first thing to say. A guess. */
const SHY_MAX_MS = 10_000;

export class Liveness {
  readonly #rng: Rng;
  readonly #send: SendMessage;

  constructor(rng: Rng, send: SendMessage) {
    this.#rng = rng;
    this.#send = send;
  }

  isGone(neighbour: Neighbour, nowMs: number): boolean {
    if (!neighbour.isReady) return nowMs >= neighbour.sinceMs + SHY_MAX_MS;
    return nowMs >= neighbour.heardMs + SILENCE_MAX_MS;
  }

  heartbeat(neighbour: Neighbour, nowMs: number): void {
    if (!neighbour.isReady || nowMs < (neighbour.ping?.atMs ?? Number.NEGATIVE_INFINITY) + PING_MS)
      return;
    neighbour.ping = { nonce: randomBytes(this.#rng, NONCE_BYTES), atMs: nowMs, isOpen: true };
    this.#send(neighbour, { type: 'ping', nonce: neighbour.ping.nonce });
  }

  onPing(from: Neighbour, nonce: Uint8Array, nowMs: number): void {
    if (from.mayAsk('ping', nowMs)) this.#send(from, { type: 'pong', nonce });
  }

  onPong(from: Neighbour, nonce: Uint8Array, nowMs: number): void {
    if (from.ping?.isOpen !== true || !equalBytes(nonce, from.ping.nonce)) return;
    from.pingMs = Math.min(from.pingMs, nowMs - from.ping.atMs);
    from.ping = { ...from.ping, isOpen: false };
  }
}
