// From what a module announces to an item with its proof of work (protocol 4). Proofs are found one after the other outside
// of this machine; an item is dated when its proof is begun.

import { POW_NONCE_BYTES, type PowTask } from '../crypto/index.ts';
import { type Rng, randomBytes } from '../runtime/index.ts';
import type { ClientId } from './clients.ts';
import { type Draft, draftItem, encodeItem, itemPowTask } from './item.ts';

/** Of all modules together; a guess. At 64 KiB each they are 16 MiB. */
const WAITING_MAX = 256;

export interface Announcement {
  readonly client: ClientId;
  readonly ttl: number;
  readonly dataType: number;
  readonly data: Uint8Array;
}

export interface AnnouncingOptions {
  readonly rng: Rng;
  readonly networkId: Uint8Array;
  solve(proof: number, task: PowTask): void;
  onItem(encoded: Uint8Array, client: ClientId): void;
}

export class Announcing {
  readonly #options: AnnouncingOptions;
  /** At most WAITING_MAX. */
  readonly #waiting: Announcement[] = [];
  #solving: { readonly announcement: Announcement; readonly draft: Draft } | undefined;
  #lastProof = 0;

  constructor(options: AnnouncingOptions) {
    this.#options = options;
  }

  /** False when too many are waiting. */
  add(announcement: Announcement, wallMs: number): boolean {
    if (this.#waiting.length >= WAITING_MAX) return false;
    this.#waiting.push(announcement);
    this.#solveNext(wallMs);
    return true;
  }

  solved(proof: number, nonce: Uint8Array, wallMs: number): void {
    if (this.#solving === undefined || proof !== this.#lastProof) return;
    const { announcement, draft } = this.#solving;
    this.#solving = undefined;
    this.#options.onItem(encodeItem(draft, announcement.ttl, nonce), announcement.client);
    this.#solveNext(wallMs);
  }

  #solveNext(wallMs: number): void {
    const { rng, networkId, solve, onItem } = this.#options;
    while (this.#solving === undefined) {
      const announcement = this.#waiting.shift();
      if (announcement === undefined) return;
      const draft = draftItem(announcement.dataType, announcement.data, wallMs);
      if (draft.powBits > 0) {
        this.#solving = { announcement, draft };
        solve(++this.#lastProof, itemPowTask(draft, networkId));
      } else {
        const anyNonce = randomBytes(rng, POW_NONCE_BYTES);
        onItem(encodeItem(draft, announcement.ttl, anyNonce), announcement.client);
      }
    }
  }
}
