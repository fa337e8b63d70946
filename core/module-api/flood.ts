// What other modules need of Gossip, and no more than the Gossip API means: say something to everybody, hear what others
// say, and decide what goes on. Between processes it is gossip-driver.ts; within a node whoever puts the modules together
// connects it to the Gossip module itself.

/**
 * `pass on` and `refuse` are GOSSIP VALIDATION with V = 1 and V = 0; who sent what is refused may suffer for it. The API has
 * no word for `ignore`: nothing is answered, so the item goes no further and nobody is blamed.
 */
export type Opinion = 'pass on' | 'refuse' | 'ignore';

export interface FloodItem {
  readonly data: Uint8Array;
  /** Once, now or within the 5 s that Gossip waits. */
  answer(opinion: Opinion): void;
}

export interface FloodListener {
  onItem(item: FloodItem): void;
  /** What is announced from now on is heard, or is not. At first it is not. */
  onUp(): void;
  onDown(): void;
}

export interface Flood {
  /** Everything of that data type, from now on. Once. */
  listen(dataType: number, listener: FloodListener): void;
  /** Over at most `hops` hops; 0, and without it: to everybody, over as many as it takes. */
  announce(dataType: number, data: Uint8Array, hops?: number): void;
}
