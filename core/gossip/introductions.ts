// Who tells whom about nodes (protocol 4, PEERS): we ask those we chose to call, and answer everybody, seldom. What somebody
// tells goes to the address book under the netgroup of who told it.

import { equalBytes } from '../bytes/index.ts';
import type { Identity, NodeDescriptor } from '../identity/index.ts';
import { pick, type Rng } from '../runtime/index.ts';
import type { AddressBook } from './addresses.ts';
import type { Neighbour } from './neighbours.ts';
import type { Drop, Now, SendMessage } from './port.ts';

/** Protocol 4, of one neighbour. */
const ASK_MS = 60_000;
/** With so many known nodes we ask no more. A guess. */
const ENOUGH = 1000;

export interface IntroductionsOptions {
  readonly rng: Rng;
  readonly identity: Identity;
  readonly book: AddressBook;
  /** Undefined for what is no descriptor that anybody may use. About 0.2 ms. */
  openDescriptor(bytes: Uint8Array, wallMs: number): NodeDescriptor | undefined;
  readonly send: SendMessage;
  drop(why: Drop): void;
}

export class Introductions {
  readonly #options: IntroductionsOptions;
  #asksMs: number;

  constructor(options: IntroductionsOptions, nowMs: number) {
    this.#options = options;
    this.#asksMs = nowMs + ASK_MS;
  }

  heartbeat(ready: readonly Neighbour[], nowMs: number): void {
    if (nowMs < this.#asksMs) return;
    this.#asksMs = nowMs + ASK_MS;
    const { rng, book } = this.#options;
    const called = ready.filter(({ isOutbound }) => isOutbound);
    const asked = pick(rng, called);
    if (asked !== undefined && book.size < ENOUGH) this.ask(asked, nowMs);
  }

  ask(neighbour: Neighbour, nowMs: number): void {
    if (nowMs < neighbour.askedPeersMs + ASK_MS) return;
    neighbour.askedPeersMs = nowMs;
    neighbour.awaitsPeers = true;
    this.#options.send(neighbour, { type: 'peers request' });
  }

  onRequest(from: Neighbour, nowMs: number): void {
    if (!from.mayAsk('peers', nowMs)) return;
    const others = this.#options.book
      .sample()
      .filter(({ identity }) => !equalBytes(identity, from.peer.identity));
    const descriptors = others.map(({ encoded }) => encoded);
    this.#options.send(from, { type: 'peers', descriptors });
  }

  /** Only what we asked for: 32 signatures a minute and neighbour. */
  onPeers(from: Neighbour, descriptors: readonly Uint8Array[], { wallMs }: Now): void {
    const { identity, book, openDescriptor, drop } = this.#options;
    const wanted = from.awaitsPeers ? descriptors : [];
    if (!from.awaitsPeers) drop('over quota');
    from.awaitsPeers = false;
    for (const bytes of wanted) {
      const descriptor = openDescriptor(bytes, wallMs);
      if (descriptor === undefined) drop('not a peer');
      else if (!equalBytes(descriptor.identity, identity)) {
        book.learn(descriptor, book.groupOf(from.address));
      }
    }
  }
}
