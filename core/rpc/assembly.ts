// Puts messages together from their fragments, which come in any order and more than once. What is incomplete is kept
// until it is said again, and bounded for each link and in all.

import { concatBytes, DecodeError } from '../bytes/index.ts';
import type { LinkId } from '../link/index.ts';
import { FRAGMENT_BYTES, type Fragment } from './wire.ts';

/** Both times that a message is said, and some. */
const KEEP_MS = 5000;
/** A guess: what one node has under way when some cells are lost. */
const PER_LINK_MAX = 16;
/** A guess: 512 of the longest messages. */
const BYTES_MAX = 8 << 20;

interface Partial {
  readonly link: LinkId;
  readonly fragments: (Uint8Array | undefined)[];
  missing: number;
  readonly sinceMs: number;
}

export class Assembly {
  /** The oldest first; bounded by PER_LINK_MAX and BYTES_MAX. */
  readonly #partials = new Map<string, Partial>();
  readonly #perLink = new Map<LinkId, number>();
  #bytes = 0;

  get bytes(): number {
    return this.#bytes;
  }

  /** The message, with its last fragment. DecodeError when fragments contradict each other or too much is incomplete. */
  push(link: LinkId, fragment: Fragment, nowMs: number): Uint8Array | undefined {
    const { kind, number, index, count, data } = fragment;
    if (count === 1) return new Uint8Array(data);
    const key = `${link} ${kind} ${number}`;
    const partial = this.#partials.get(key) ?? this.#begin(key, link, count, nowMs);
    if (partial.fragments.length !== count) throw new DecodeError('another number of fragments');
    if (partial.fragments[index] !== undefined) return undefined;
    partial.fragments[index] = new Uint8Array(data);
    partial.missing--;
    if (partial.missing > 0) return undefined;
    this.#remove(key);
    return concatBytes(...partial.fragments.filter((one) => one !== undefined));
  }

  forget(link: LinkId): void {
    for (const [key, partial] of this.#partials) if (partial.link === link) this.#remove(key);
  }

  expire(nowMs: number): void {
    for (const [key, { sinceMs }] of this.#partials) {
      if (nowMs < sinceMs + KEEP_MS) return;
      this.#remove(key);
    }
  }

  #begin(key: string, link: LinkId, count: number, nowMs: number): Partial {
    this.expire(nowMs);
    const open = this.#perLink.get(link) ?? 0;
    if (open >= PER_LINK_MAX) throw new DecodeError('too many incomplete messages');
    const fragments = Array.from<Uint8Array | undefined>({ length: count });
    const partial = { link, fragments, missing: count, sinceMs: nowMs };
    this.#partials.set(key, partial);
    this.#perLink.set(link, open + 1);
    this.#bytes += roomOf(partial);
    const [oldest] = this.#partials.keys();
    if (this.#bytes > BYTES_MAX && oldest !== undefined) this.#remove(oldest);
    return partial;
  }

  #remove(key: string): void {
    const partial = this.#partials.get(key);
    if (partial === undefined) return;
    this.#partials.delete(key);
    this.#bytes -= roomOf(partial);
    const left = (this.#perLink.get(partial.link) ?? 1) - 1;
    if (left > 0) this.#perLink.set(partial.link, left);
    else this.#perLink.delete(partial.link);
  }
}

function roomOf({ fragments }: Partial): number {
  return fragments.length * FRAGMENT_BYTES;
}
