// ONION COVER and its echo: the size that was asked for is cut into COVER messages of random bytes, whose first bytes say
// which request and which piece they are; when all have come back as they went, the client that asked gets them in one
// piece. An endpoint that alters them might as well not answer.

import { concatBytes, equalBytes, Reader, Writer } from '../bytes/index.ts';
import { type Rng, randomBytes } from '../runtime/index.ts';
import type { ClientId } from './api-port.ts';
import { INNER_DATA_MAX } from './geometry.ts';
import { encodeInner, INNER } from './inner.ts';

/** request u32, piece u16 */
const HEAD_BYTES = 6;
const PIECE_BYTES = INNER_DATA_MAX - HEAD_BYTES;
/** Requests whose echo has not come yet; the oldest are given up. A guess: seconds of the densest cover. */
const OPEN_MAX = 64;

interface Request {
  readonly client: ClientId;
  readonly fill: Uint8Array;
  /** Pieces whose echo has not come. */
  readonly missing: Set<number>;
}

export class CoverEchoes {
  readonly #rng: Rng;
  /** At most OPEN_MAX, of at most 64 KiB each. */
  readonly #open = new Map<number, Request>();
  #last = 0;

  constructor(rng: Rng) {
    this.#rng = rng;
  }

  /** The inner messages that carry `size` random bytes; a size of 0 is one empty piece. */
  begin(client: ClientId, size: number): Uint8Array[] {
    this.#last = (this.#last + 1) % 2 ** 32;
    const id = this.#last;
    const fill = randomBytes(this.#rng, size);
    const pieces = Array.from({ length: Math.max(1, Math.ceil(size / PIECE_BYTES)) }, (_, i) => i);
    this.#open.set(id, { client, fill, missing: new Set(pieces) });
    const [oldest] = this.#open.keys();
    if (this.#open.size > OPEN_MAX && oldest !== undefined) this.#open.delete(oldest);
    return pieces.flatMap((piece) => {
      const head = new Writer(HEAD_BYTES).u32(id).u16(piece).end();
      return encodeInner(INNER.cover, concatBytes(head, pieceOf(fill, piece)), 0);
    });
  }

  /** The whole echo that this piece completes. */
  collect(echo: Uint8Array): { readonly client: ClientId; readonly data: Uint8Array } | undefined {
    if (echo.length < HEAD_BYTES) return undefined;
    const reader = new Reader(echo);
    const id = reader.u32();
    const piece = reader.u16();
    const request = this.#open.get(id);
    if (request === undefined) return undefined;
    const { client, fill, missing } = request;
    if (!equalBytes(reader.view(reader.remaining), pieceOf(fill, piece))) return undefined;
    missing.delete(piece);
    if (missing.size > 0) return undefined;
    this.#open.delete(id);
    return { client, data: fill };
  }

  forget(client: ClientId): void {
    for (const [id, request] of this.#open) if (request.client === client) this.#open.delete(id);
  }
}

function pieceOf(fill: Uint8Array, piece: number): Uint8Array {
  return fill.subarray(piece * PIECE_BYTES, (piece + 1) * PIECE_BYTES);
}
