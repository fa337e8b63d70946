// How far an item goes (protocol 4, "TTL"). On the wire:
//
//   255        without limit, never counted down
//   1 to 126   so many nodes in a row take it from here on, the receiver included
//   +128       the same, and not counted down yet
//
// Counting down exactly tells the first receiver who the origin is. With `hidesOrigin` an item starts as not counted down
// yet, and each node, the origin too, passes such an item on to a fixed half of its neighbours unchanged and to the others
// counted down (Freenet's rule). Items then reach about a node further; without it, exactly as far as was asked for.

export const TTL_UNLIMITED = 255;
const FRESH = 0x80;
const HOPS = 0x7f;
/** 127 would look like TTL_UNLIMITED. Nobody is as far away. */
const HOPS_MAX = 126;

export function isTtl(ttl: number): boolean {
  return (ttl & HOPS) !== 0;
}

/** Of an item of our own; `hops` as modules ask for it, 0 for without limit. */
export function initialTtl(hops: number, hidesOrigin: boolean): number {
  if (hops === 0) return TTL_UNLIMITED;
  return Math.min(hops, HOPS_MAX) | (hidesOrigin ? FRESH : 0);
}

/**
 * What goes to a neighbour who counts down fresh items, or does not; undefined when the item ends here. An item of our own
 * always reaches neighbours.
 */
export function onwardTtl(ttl: number, isOwn: boolean, countsDown: boolean): number | undefined {
  const [isFresh, hops] = [(ttl & FRESH) !== 0, ttl & HOPS];
  if (ttl === TTL_UNLIMITED || (isFresh ? !countsDown : isOwn)) return ttl;
  if (hops > 1) return hops - 1;
  return isOwn ? 1 : undefined;
}
