// ONION COVER and its echo: the size that was asked for is cut into COVER messages of random bytes, whose first bytes say
// which request and which piece they are; when all have come back, the client that asked gets them in one piece.

import { Reader, Writer } from '../bytes/index.ts';
import { type Rng, randomBytes } from '../runtime/index.ts';
import type { ClientId } from './api-tunnels.ts';
import { INNER_DATA_MAX } from './geometry.ts';
import { encodeInner, INNER } from './inner.ts';

/** request u32, piece u16 */
const HEAD_BYTES = 6;
const PIECE_BYTES = INNER_DATA_MAX - HEAD_BYTES;
/** Requests whose echo has not come yet; the oldest are given up. A guess: seconds of the densest cover. */
const OPEN_MAX = 64;

interface Request {
  readonly client: ClientId;
  readonly pieces: (Uint8Array | undefined)[];
  missing: number;
}

export class CoverEchoes {
  readonly #rng: Rng;
  /** At most OPEN_MAX. */
  readonly #open = new Map<number, Request>();
  #last = 0;

  constructor(rng: Rng) {
    this.#rng = rng;
  }

  /** The inner messages that carry `size` random bytes; a size of 0 is one empty piece. */
  begin(client: ClientId, size: number): Uint8Array[] {
    this.#last = (this.#last + 1) % 2 ** 32;
    const count = Math.max(1, Math.ceil(size / PIECE_BYTES));
    this.#open.set(this.#last, { client, pieces: Array.from({ length: count }), missing: count });
    const [oldest] = this.#open.keys();
    if (this.#open.size > OPEN_MAX && oldest !== undefined) this.#open.delete(oldest);
    return Array.from({ length: count }, (_, piece) => {
      const length = Math.min(PIECE_BYTES, size - piece * PIECE_BYTES);
      const data = new Writer(HEAD_BYTES + length).u32(this.#last).u16(piece);
      const fill = data.bytes(randomBytes(this.#rng, length)).end();
      return encodeInner(INNER.cover, fill, 0)[0] ?? fill;
    });
  }

  /** The whole echo that this piece completes. */
  collect(echo: Uint8Array): { readonly client: ClientId; readonly data: Uint8Array } | undefined {
    if (echo.length < HEAD_BYTES) return undefined;
    const reader = new Reader(echo);
    const id = reader.u32();
    const piece = reader.u16();
    const request = this.#open.get(id);
    if (request === undefined || piece >= request.pieces.length) return undefined;
    if (request.pieces[piece] !== undefined) return undefined;
    request.pieces[piece] = reader.bytes(reader.remaining);
    request.missing--;
    if (request.missing > 0) return undefined;
    this.#open.delete(id);
    const parts = request.pieces.map((part) => part ?? new Uint8Array());
    const whole = new Writer(parts.reduce((sum, part) => sum + part.length, 0));
    for (const part of parts) whole.bytes(part);
    return { client: request.client, data: whole.end() };
  }

  forget(client: ClientId): void {
    for (const [id, request] of this.#open) if (request.client === client) this.#open.delete(id);
  }
}
