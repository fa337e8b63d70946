// Copies of packets, cut from larger buffers as Node's own are: a small Uint8Array with a buffer of its own costs ten
// times as much to make, which was most of what a datagram cost. So `packet.buffer` is not the packet alone, here as
// with real sockets.

/** Node's Buffer pool has 8 KiB; larger is a little faster. */
const SLAB_BYTES = 64 * 1024;

let slab = new Uint8Array(SLAB_BYTES);
let used = 0;

export function copyOf(bytes: Uint8Array): Uint8Array {
  if (bytes.length > SLAB_BYTES / 8) return bytes.slice();
  if (used + bytes.length > SLAB_BYTES) {
    slab = new Uint8Array(SLAB_BYTES);
    used = 0;
  }
  const copy = new Uint8Array(slab.buffer, used, bytes.length);
  used += bytes.length;
  copy.set(bytes);
  return copy;
}
