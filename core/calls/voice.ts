// Everything of a call that is voice: what goes into a frame behind the control fields, and what comes out (media.ts).

import { type Field, fieldBytes } from './frame.ts';
import { MediaReceiver, MediaSender, Reporting } from './media.ts';
import { AUDIO_BYTES_MAX, type AudioFrame, decodeReport, type Report } from './media-wire.ts';

export type Heard =
  /** Those that were not heard before. */
  | { readonly type: 'audio'; readonly frames: readonly AudioFrame[] }
  | { readonly type: 'report'; readonly report: Report; readonly rttMs: number | undefined };

export class Voice {
  readonly #sender = new MediaSender();
  readonly #receiver = new MediaReceiver();
  readonly #reporting: Reporting;
  /** How long frames wait to be played just now. */
  bufferMs = 0;

  constructor(nowMs: number) {
    this.#reporting = new Reporting(nowMs);
  }

  push(bytes: Uint8Array): void {
    if (bytes.length > AUDIO_BYTES_MAX) throw new RangeError(`20 ms of ${bytes.length} bytes`);
    this.#sender.push(bytes);
  }

  pause(): void {
    this.#sender.pause();
  }

  /** The report goes first: it is due once a second, and only copies give way for it. */
  fields(nowMs: number, roomBytes: number): Field[] {
    const report = this.#reporting.field(this.#receiver, this.bufferMs, nowMs);
    const media = this.#sender.field(roomBytes - (report ? fieldBytes(report) : 0));
    return [report, media].filter((field) => field !== undefined);
  }

  /** DecodeError for a malformed field. */
  receive(name: 'media' | 'report', data: Uint8Array, nowMs: number): Heard {
    if (name === 'media') return { type: 'audio', frames: this.#receiver.receive(data, nowMs) };
    const report = decodeReport(data);
    this.#sender.onReport(report);
    return { type: 'report', report, rttMs: this.#reporting.onReport(report, nowMs) };
  }
}
