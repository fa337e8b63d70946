// Distances of the DHT (Kademlia): the XOR of two ids of 256 bits, read as a number.

/** Negative when `a` is nearer to `target` than `b`. */
export function compareDistance(target: Uint8Array, a: Uint8Array, b: Uint8Array): number {
  for (let i = 0; i < target.length; i++) {
    const byte = target[i] ?? 0;
    const difference = ((a[i] ?? 0) ^ byte) - ((b[i] ?? 0) ^ byte);
    if (difference !== 0) return difference;
  }
  return 0;
}

/** With how many equal bits they begin: the number of the bucket one has in the other's table. */
export function sharedBits(a: Uint8Array, b: Uint8Array): number {
  for (let i = 0; i < a.length; i++) {
    const difference = (a[i] ?? 0) ^ (b[i] ?? 0);
    if (difference !== 0) return 8 * i + Math.clz32(difference) - 24;
  }
  return 8 * a.length;
}

/** An id that begins with so many bits of `id`, then the opposite one, and is `random` behind that. */
export function idInBucket(id: Uint8Array, bits: number, random: Uint8Array): Uint8Array {
  return random.map((byte, i) => {
    const ours = id[i] ?? 0;
    const kept = Math.min(8, Math.max(0, bits - 8 * i));
    const mask = (0xff << (8 - kept)) & 0xff;
    const flipped = bits >> 3 === i ? 0x80 >> (bits & 7) : 0;
    const joined = (ours & mask) | (byte & ~mask & 0xff);
    return flipped === 0 ? joined : (joined & ~flipped) | (~ours & flipped);
  });
}
