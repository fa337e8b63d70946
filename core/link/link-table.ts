// All links there are, in the making or open, by what names them: our number, the index in packets to us, the stream
// they run over. Bounded by who adds to it (links.ts).

import { type Rng, randomU32 } from '../runtime/index.ts';
import type { Link } from './link.ts';
import type { LinkId, StreamId } from './port.ts';

/** Indices of one link that may still come in a packet: the newest, at one a minute and lives of 6 min at the most. */
const INDICES_MAX = 8;

export class LinkTable {
  readonly #rng: Rng;
  readonly #links = new Map<LinkId, Link>();
  readonly #byIndex = new Map<number, LinkId>();
  /** Oldest first, at most INDICES_MAX of each link. */
  readonly #indices = new Map<LinkId, number[]>();
  #nextId = 1;

  constructor(rng: Rng) {
    this.#rng = rng;
  }

  newId(): LinkId {
    return this.#nextId++;
  }

  /** Random, so that it tells nobody how many links there are. */
  newIndex(id: LinkId): number {
    let index = randomU32(this.#rng);
    while (this.#byIndex.has(index)) index = randomU32(this.#rng);
    this.#byIndex.set(index, id);
    const indices = this.#indices.get(id) ?? [];
    this.#indices.set(id, indices);
    indices.push(index);
    if (indices.length > INDICES_MAX) this.#byIndex.delete(indices.shift() ?? index);
    return index;
  }

  add(link: Link): void {
    this.#links.set(link.id, link);
  }

  /** Also what was only going to be a link. */
  remove(id: LinkId): void {
    this.#links.delete(id);
    for (const index of this.#indices.get(id) ?? []) this.#byIndex.delete(index);
    this.#indices.delete(id);
  }

  find(id: LinkId): Link | undefined {
    return this.#links.get(id);
  }

  byIndex(index: number): Link | undefined {
    return this.#links.get(this.#byIndex.get(index) ?? 0);
  }

  byStream(stream: StreamId): Link | undefined {
    return this.all().find(({ route }) => route.transport === 'stream' && route.stream === stream);
  }

  /** A copy: links may go while it is walked through. */
  all(): readonly Link[] {
    return [...this.#links.values()];
  }
}
