// How two people who know only each other's hostkeys come by each other's cards: each hands its own over in the first call
// that is answered, and from then on they are friends with cards. What came is checked and learned elsewhere.

import { DecodeError } from '../bytes/index.ts';
import { type ControlMessage, type Part, PartsOf, partsOf } from './control.ts';

/** A card has 1193 bytes (core/presence); there may be longer ones. */
export const CARD_BYTES_MAX = 2048;

export class CardExchange {
  /** Ours, until it is given. */
  #own: Uint8Array | undefined;
  /** The peer's, as far as it has come; at most CARD_BYTES_MAX. */
  #theirs: PartsOf | undefined;

  /** `own` undefined: the peer has it. */
  constructor(own: Uint8Array | undefined) {
    this.#own = own;
  }

  /** Once. */
  give(): readonly ControlMessage[] {
    const own = this.#own;
    this.#own = undefined;
    return own ? partsOf('card', own) : [];
  }

  /** The whole card with its last part; one in a call. DecodeError for a part out of place. */
  take(part: Part): Uint8Array | undefined {
    if (part.length > CARD_BYTES_MAX) throw new DecodeError('a card of too many bytes');
    this.#theirs ??= new PartsOf(part.length);
    return this.#theirs.push(part);
  }
}
