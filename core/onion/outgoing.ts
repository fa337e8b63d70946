// Inner messages that wait for a slot of one circuit: control messages first, then data, then what can wait for a slot
// that nobody needs, then answers to what the other end asks for at every cell. What the API offers faster than the slots carry it waits in 64 KiB, then the oldest goes:
// the specification promises best effort, and the rate on the wire never changes. A message of which a piece has gone
// is finished, so that also whoever always offers too much gets something through.

import { INNER_HEADER_BYTES, INNER_PLAIN_BYTES } from './geometry.ts';

const WAITING_BYTES_MAX = 65_536;
/** A guess: about what keeping a piece costs besides its bytes. So there are never more than a thousand. */
const PIECE_BYTES_MIN = 64;
/** A guess: an EXTENDED is four pieces, and a circuit may ask for three a minute. */
const CONTROL_MAX = 32;
/** A guess: what is said again is two pieces, three times. */
const IDLE_MAX = 8;
/** A guess: echoes come and go at the same rate, but for bursts; this is one of 0.6 s. */
const ANSWERS_MAX = 32;

interface Waiting {
  readonly pieces: readonly Uint8Array[];
  readonly bytes: number;
}

export class OutgoingQueue {
  /** At most CONTROL_MAX. */
  readonly #control: Uint8Array[] = [];
  /** At most WAITING_BYTES_MAX in all, or one message. */
  readonly #waiting: Waiting[] = [];
  #waitingBytes = 0;
  #underWay: readonly Uint8Array[] = [];
  #gone = 0;
  /** At most IDLE_MAX. */
  readonly #idle: Uint8Array[] = [];
  readonly #answers = new Ring();

  /** The pieces of one message. False: the far end asks for more than a circuit may. */
  pushControl(pieces: readonly Uint8Array[]): boolean {
    if (this.#control.length + pieces.length > CONTROL_MAX) return false;
    this.#control.push(...pieces);
    return true;
  }

  /** What waits was for somebody who is not asked any more. */
  dropControl(): void {
    this.#control.length = 0;
  }

  /** The pieces of one message. Answers how many others had to go for it. */
  pushData(pieces: readonly Uint8Array[]): number {
    const bytes = bytesOfAll(pieces);
    this.#waiting.push({ pieces, bytes });
    this.#waitingBytes += bytes;
    let dropped = 0;
    while (this.#waitingBytes > WAITING_BYTES_MAX && this.#waiting.length > 1) {
      this.#shiftWaiting();
      dropped++;
    }
    return dropped;
  }

  /** For slots in which no data waits; dropped when too many do. */
  pushIdle(pieces: readonly Uint8Array[]): void {
    if (this.#idle.length + pieces.length <= IDLE_MAX) this.#idle.push(...pieces);
  }

  /** There are no more slots here: a message of which pieces are missing has to go whole over another circuit. */
  rewind(): void {
    if (this.#gone === this.#underWay.length) return;
    const pieces = this.#underWay;
    const bytes = bytesOfAll(pieces);
    this.#underWay = NO_PIECES;
    this.#gone = 0;
    this.#waiting.unshift({ pieces, bytes });
    this.#waitingBytes += bytes;
  }

  /** Messages of another queue that it has not begun to send. Answers how many had to go for them. */
  takeOver(other: OutgoingQueue): number {
    const messages = other.#waiting.splice(0);
    other.#waitingBytes = 0;
    return messages.reduce((dropped, { pieces }) => dropped + this.pushData(pieces), 0);
  }

  /** A plaintext as it came, to go back as another type. Dropped when too many wait. */
  pushAnswer(plaintext: Uint8Array, type: number): void {
    this.#answers.push(plaintext, type);
  }

  /** What goes into this slot; valid until the next push. */
  next(): Uint8Array | undefined {
    return (
      this.#control.shift() ?? this.#nextPiece() ?? this.#idle.shift() ?? this.#answers.shift()
    );
  }

  #nextPiece(): Uint8Array | undefined {
    if (this.#gone === this.#underWay.length) {
      this.#underWay = this.#shiftWaiting()?.pieces ?? NO_PIECES;
      this.#gone = 0;
    }
    const piece = this.#underWay[this.#gone];
    if (piece !== undefined) this.#gone++;
    return piece;
  }

  #shiftWaiting(): Waiting | undefined {
    const oldest = this.#waiting.shift();
    this.#waitingBytes -= oldest?.bytes ?? 0;
    return oldest;
  }
}

const NO_PIECES: readonly Uint8Array[] = [];

function bytesOfAll(pieces: readonly Uint8Array[]): number {
  return pieces.reduce((sum, piece) => sum + bytesOf(piece), 0);
}

/** Without the header, but with that of FRAG: a message of the greatest length still fits by itself. */
function bytesOf(piece: Uint8Array): number {
  return Math.max(PIECE_BYTES_MIN, piece.length - INNER_HEADER_BYTES);
}

/** Plaintexts in places that are made once: an idle tunnel's cover comes back without an allocation. */
class Ring {
  /** At most ANSWERS_MAX, made when first used. */
  readonly #places: Uint8Array[] = [];
  #first = 0;
  #length = 0;

  push(plaintext: Uint8Array, type: number): void {
    if (this.#length === ANSWERS_MAX) return;
    const at = (this.#first + this.#length) % ANSWERS_MAX;
    const place = this.#places[at] ?? new Uint8Array(INNER_PLAIN_BYTES);
    this.#places[at] = place;
    place.set(plaintext);
    place[0] = type;
    this.#length++;
  }

  shift(): Uint8Array | undefined {
    if (this.#length === 0) return undefined;
    const place = this.#places[this.#first];
    this.#first = (this.#first + 1) % ANSWERS_MAX;
    this.#length--;
    return place;
  }
}
