// OPEN and CLOSE_LOGICAL (protocol 3.5, 3.7): nobody acknowledges them, so they are said three times in a row and again
// until they can hardly all have been lost. Whoever gets one twice ignores it. A PROBE goes with each: its answer shows
// that the other end hears this circuit, and what is repeated from then on leaves the slots to data that waits.

import { type ApiOutput, sendInner } from './api-port.ts';
import { encodeInner, INNER } from './inner.ts';
import type { CircuitId } from './plane-port.ts';

/** Data follows in the next slots and needs an open tunnel: one lost cell must not matter. */
const COPIES = 3;
/** After the first. A guess: longer than a burst of loss. */
const AGAIN_MS: readonly number[] = [200, 600, 1500];

const KIND_DATA = 1;
export const TOKEN_BYTES = 32;
/** Names no tunnel. */
export const NO_TOKEN = new Uint8Array(TOKEN_BYTES);

const [PROBE = new Uint8Array()] = encodeInner(INNER.probe, new Uint8Array(), 0);

interface Notice {
  readonly message: Uint8Array;
  readonly sinceMs: number;
  said: number;
  isHeard: boolean;
}

export class Notices {
  /** One per circuit, gone after the last of AGAIN_MS. */
  readonly #notices = new Map<CircuitId, Notice>();

  /** `token` names the tunnel that goes on over this circuit, or none. */
  open(circuit: CircuitId, token: Uint8Array, nowMs: number): ApiOutput[] {
    const data = new Uint8Array(1 + TOKEN_BYTES);
    data[0] = KIND_DATA;
    data.set(token, 1);
    return this.#say(circuit, INNER.open, data, nowMs);
  }

  /** Instead of an OPEN that is still being said. */
  close(circuit: CircuitId, nowMs: number): ApiOutput[] {
    return this.#say(circuit, INNER.closeLogical, new Uint8Array(), nowMs);
  }

  /** Something has come from the other end. */
  heard(circuit: CircuitId): void {
    const notice = this.#notices.get(circuit);
    if (notice !== undefined) notice.isHeard = true;
  }

  /** The circuit is gone. */
  forget(circuit: CircuitId): void {
    this.#notices.delete(circuit);
  }

  onTick(nowMs: number): ApiOutput[] {
    return [...this.#notices].flatMap(([circuit, notice]) => {
      if (nowMs < deadlineMs(notice)) return [];
      notice.said++;
      if (notice.said === AGAIN_MS.length) this.#notices.delete(circuit);
      // Once more whatever is heard: the first copies, but not the PROBE, may be lost in one burst.
      const isUrgent = notice.said === 1 || !notice.isHeard;
      return [sendInner(circuit, isUrgent ? 'control' : 'idle', [notice.message, PROBE])];
    });
  }

  nextDeadlineMs(): number {
    return Math.min(Number.POSITIVE_INFINITY, ...[...this.#notices.values()].map(deadlineMs));
  }

  #say(circuit: CircuitId, type: number, data: Uint8Array, nowMs: number): ApiOutput[] {
    const [message = data] = encodeInner(type, data, 0);
    this.#notices.set(circuit, { message, sinceMs: nowMs, said: 0, isHeard: false });
    const copies = Array.from({ length: COPIES }, () => message);
    return [sendInner(circuit, 'control', [...copies, PROBE])];
  }
}

/** The token in an OPEN for data; undefined when it is another, or none. */
export function tokenOf(open: Uint8Array): Uint8Array | undefined {
  return open.length === 1 + TOKEN_BYTES && open[0] === KIND_DATA ? open.subarray(1) : undefined;
}

function deadlineMs({ sinceMs, said }: Notice): number {
  return sinceMs + (AGAIN_MS[said] ?? Number.POSITIVE_INFINITY);
}
