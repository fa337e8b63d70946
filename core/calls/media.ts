// Voice in a call (protocol 10.3): opaque frames of 20 ms, one a slot, each sent again in later slots so that single losses
// and short bursts are not heard, and reports once a second by which the sender chooses how far behind the copies go. That
// changes only what is in a cell, never how many there are.
//
// Frames come out as soon as any copy of them arrives, each once, in whatever order; playing them in time is the jitter
// buffer's business (core/audio).

import { type Field, fieldBytes } from './frame.ts';
import {
  type AudioFrame,
  COPY_HEAD_BYTES,
  decodeMedia,
  encodeMedia,
  encodeReport,
  type Report,
  u32,
} from './media-wire.ts';

export const FRAME_MS = 20;
export const REPORT_MS = 1000;
/** Protocol 10.3: how far back copies are taken from. */
export const CALM: readonly number[] = [1, 3];
export const BURSTS: readonly number[] = [1, 3, 6];
/** Per mille. Above the first the ear notices; the second is what protocol 10.3 still repairs with two copies. Guesses. */
const LOSS_AFTER_MAX = 5;
const LOSS_MAX = 150;
/** Reports in a row without trouble until copies go back: bursts come in groups. A guess. */
const CALM_REPORTS = 10;
/** A sound card may be a frame or two ahead of the slots; more is delay. */
const QUEUE_MAX = 3;
/** Copies reach back this far. */
const HISTORY = 8;
/** 20 s; whoever is late by more is not heard. */
const SEEN = 1024;
/** A copy can still come this many frames after its own: counted as lost only then. */
const SETTLE = 8;
/** Round trips beyond are a broken clock's. */
const RTT_MAX_MS = 60_000;

export class MediaSender {
  /** At most QUEUE_MAX. */
  readonly #queue: Uint8Array[] = [];
  /** The last HISTORY that were sent, newest first. */
  #sent: AudioFrame[] = [];
  #next = 0;
  #distances = CALM;
  #calm = 0;

  /** How far behind the copies are just now. */
  get distances(): readonly number[] {
    return this.#distances;
  }

  push(bytes: Uint8Array): void {
    this.#queue.push(bytes);
    if (this.#queue.length > QUEUE_MAX) this.#queue.shift();
  }

  /** The next frame with as many copies as fit, nearest first; undefined when there is none, or no room. */
  field(roomBytes: number): Field | undefined {
    const bytes = this.#queue[0];
    if (bytes === undefined) return undefined;
    const newest = { frameNo: this.#next, bytes };
    let room = roomBytes - fieldBytes(mediaField([newest]));
    if (room < 0) return undefined;
    const copies = this.#distances
      .map((distance) => this.#sent[distance - 1])
      .filter((copy) => {
        const cost = copy ? COPY_HEAD_BYTES + copy.bytes.length : 0;
        if (copy === undefined || cost > room) return false;
        room -= cost;
        return true;
      }) as AudioFrame[];
    this.#queue.shift();
    this.#next++;
    this.#sent = [newest, ...this.#sent].slice(0, HISTORY);
    return mediaField([newest, ...copies]);
  }

  onReport({ loss, lossAfter }: Report): void {
    const isBad = lossAfter > LOSS_AFTER_MAX || loss > LOSS_MAX;
    this.#calm = isBad ? 0 : this.#calm + 1;
    if (isBad) this.#distances = BURSTS;
    else if (this.#calm >= CALM_REPORTS) this.#distances = CALM;
  }

  /** Nobody speaks for a while: what waits is old when it goes on. */
  pause(): void {
    this.#queue.length = 0;
  }
}

function mediaField(frames: readonly [AudioFrame, ...AudioFrame[]]): Field {
  return { name: 'media', data: encodeMedia(frames) };
}

export class MediaReceiver {
  /** frame_no + 1 at frame_no mod SEEN: of frames that came at all, and of those that came by themselves. */
  readonly #seen = new Float64Array(SEEN);
  readonly #first = new Float64Array(SEEN);
  #highest = -1;
  /** Up to where losses were reported. */
  #reported = -1;
  #jitterMs = 0;
  #transitMs: number | undefined;

  /** The frames that were not heard before, oldest first. DecodeError for a malformed field. */
  receive(data: Uint8Array, nowMs: number): AudioFrame[] {
    const frames = decodeMedia(data);
    const newest = frames[0]?.frameNo ?? 0;
    if (newest > this.#highest) this.#onNewest(newest, nowMs);
    if (this.#isRecent(newest)) this.#first[newest % SEEN] = newest + 1;
    return frames.reverse().filter(({ frameNo }) => {
      const isNew = this.#isRecent(frameNo) && this.#seen[frameNo % SEEN] !== frameNo + 1;
      if (isNew) this.#seen[frameNo % SEEN] = frameNo + 1;
      return isNew;
    });
  }

  /** Since the last one. */
  report(): Pick<Report, 'highest' | 'loss' | 'lossAfter' | 'jitterMs'> {
    const settled = Math.max(this.#reported, this.#highest - SETTLE);
    const loss = perMille(this.#first, this.#reported, settled);
    const lossAfter = perMille(this.#seen, this.#reported, settled);
    this.#reported = settled;
    return { highest: Math.max(0, this.#highest), loss, lossAfter, jitterMs: this.#jitterMs };
  }

  #isRecent(frameNo: number): boolean {
    return frameNo > this.#highest - SEEN;
  }

  /** RFC 3550, 6.4.1: how unevenly frames arrive that were sent evenly. */
  #onNewest(frameNo: number, nowMs: number): void {
    this.#highest = frameNo;
    const transitMs = nowMs - frameNo * FRAME_MS;
    if (this.#transitMs !== undefined) {
      this.#jitterMs += (Math.abs(transitMs - this.#transitMs) - this.#jitterMs) / 16;
    }
    this.#transitMs = transitMs;
  }
}

/** Of the frames in (from, to], but at most of the last SEEN, how many are not marked. */
function perMille(marks: Float64Array, from: number, to: number): number {
  const first = Math.max(from + 1, to - SEEN + SETTLE + 1, 0);
  let missing = 0;
  for (let frameNo = first; frameNo <= to; frameNo++) {
    if (marks[frameNo % SEEN] !== frameNo + 1) missing++;
  }
  return to < first ? 0 : Math.round((1000 * missing) / (to - first + 1));
}

/** Reports both ways, and the round trip they measure. */
export class Reporting {
  #dueMs: number;
  #heard: { readonly timeMs: number; readonly atMs: number } | undefined;

  constructor(nowMs: number) {
    this.#dueMs = nowMs + REPORT_MS;
  }

  /** The report that is due, if one is. */
  field(receiver: MediaReceiver, bufferMs: number, nowMs: number): Field | undefined {
    if (nowMs < this.#dueMs) return undefined;
    this.#dueMs = nowMs + REPORT_MS;
    const heard = this.#heard;
    const echo = heard && { timeMs: heard.timeMs, ageMs: nowMs - heard.atMs };
    const report = { ...receiver.report(), bufferMs, timeMs: nowMs, echo };
    return { name: 'report', data: encodeReport(report) };
  }

  /** The round trip, when the report tells it. */
  onReport({ timeMs, echo }: Report, nowMs: number): number | undefined {
    this.#heard = { timeMs, atMs: nowMs };
    if (echo === undefined) return undefined;
    const rttMs = u32(2 ** 32 + u32(nowMs) - echo.timeMs) - echo.ageMs;
    return rttMs >= 0 && rttMs <= RTT_MAX_MS ? rttMs : undefined;
  }
}
