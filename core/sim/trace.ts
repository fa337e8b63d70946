// The fingerprint of a run: two runs with one digest saw the same packets at the same times. FNV-1a in two lanes of
// 32 bits, which is plenty for comparing and no protection against forgery.

import type { Sighting } from './network.ts';
import type { World } from './world.ts';

export class Trace {
  readonly #number = new DataView(new ArrayBuffer(8));
  #packets = 0;
  #low = 0x811c_9dc5;
  #high = 0xcbf2_9ce4;

  /** Watches that world from now on. */
  constructor(world: World) {
    world.tap((sighting) => this.#add(sighting));
  }

  /** Sightings so far. */
  get packets(): number {
    return this.#packets;
  }

  get digest(): string {
    return [this.#high, this.#low]
      .map((word) => (word >>> 0).toString(16).padStart(8, '0'))
      .join('');
  }

  #add({ atMs, what, packet }: Sighting): void {
    this.#packets++;
    this.#number.setFloat64(0, atMs);
    for (let i = 0; i < 8; i++) this.#byte(this.#number.getUint8(i));
    const { from, to, protocol, bytes } = packet;
    const kind = packet.protocol === 'tcp' ? packet.segment.kind : '';
    this.#text(`${what} ${protocol} ${kind} ${from.ip} ${from.port} ${to.ip} ${to.port}\n`);
    for (const byte of bytes) this.#byte(byte);
  }

  #text(text: string): void {
    for (let i = 0; i < text.length; i++) this.#byte(text.charCodeAt(i));
  }

  #byte(byte: number): void {
    this.#low = Math.imul(this.#low ^ byte, 0x0100_0193);
    this.#high = Math.imul(this.#high ^ byte, 0x0100_0193) + 0x9e37_79b9;
  }
}
