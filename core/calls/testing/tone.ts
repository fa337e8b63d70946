// A tone in place of a voice, and an ear that knows it: 440 Hz, one byte a sample, 60 samples in 20 ms.

import { FRAME_MS } from '../media.ts';
import type { AudioFrame } from '../media-wire.ts';

const SAMPLES = 60;
const HZ = 440;

/** The frame that is number `frameNo` when it is sent from the first slot on. */
export function tone(frameNo: number): Uint8Array {
  return Uint8Array.from({ length: SAMPLES }, (_, i) => {
    const second = ((frameNo + i / SAMPLES) * FRAME_MS) / 1000;
    return 128 + Math.round(100 * Math.sin(2 * Math.PI * HZ * second));
  });
}

export class ToneSource {
  #next = 0;

  next(): Uint8Array {
    return tone(this.#next++);
  }
}

/** Hears frames, and whether they are the tone. */
export class ToneSink {
  readonly #heard = new Set<number>();
  wrong = 0;

  hear(frames: readonly AudioFrame[]): void {
    for (const { frameNo, bytes } of frames) {
      const expected = tone(frameNo);
      const isRight = !this.#heard.has(frameNo) && expected.every((byte, i) => byte === bytes[i]);
      if (isRight) this.#heard.add(frameNo);
      else this.wrong++;
    }
  }

  /** How many of the first `count` frames were heard. */
  share(count: number): number {
    let heard = 0;
    for (const frameNo of this.#heard) if (frameNo < count) heard++;
    return heard / count;
  }
}
