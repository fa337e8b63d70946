// The two media fields of protocol 10.3.
//
//   MEDIA    0   4   frame_no of the newest frame in it     REPORT   0   4   highest frame_no heard
//            4   1   flags, zero                                     4   2   loss, per mille
//            5   1   n, 1 to 4                                       6   2   loss after redundancy, per mille
//            6       n times: back u8, length u8, bytes              8   2   jitter, ms
//                    back counts from frame_no, and rises           10   2   buffer, ms
//                                                                   12   4   sender's time, ms modulo 2^32
//                                                                   16   4   its echo: the newest such time heard
//                                                                   20   2   how long ago it came, ms; 0xFFFF: never

import { DecodeError, Reader, Writer } from '../bytes/index.ts';

/** 20 ms at 32 kbit/s are 80 bytes. */
export const AUDIO_BYTES_MAX = 100;
/** Protocol 10.3: the frame itself and three copies. */
export const COPIES_MAX = 4;
/** Twice the farthest distance in use; later than that a copy is of no use to anybody. */
export const BACK_MAX = 12;
const MEDIA_HEAD_BYTES = 6;
export const COPY_HEAD_BYTES = 2;
const REPORT_BYTES = 22;
const NEVER = 0xffff;

export interface AudioFrame {
  readonly frameNo: number;
  readonly bytes: Uint8Array;
}

/** The newest first. */
export function encodeMedia([newest, ...copies]: readonly [
  AudioFrame,
  ...AudioFrame[],
]): Uint8Array {
  const all = [newest, ...copies];
  const length = all.reduce((sum, { bytes }) => sum + COPY_HEAD_BYTES + bytes.length, 0);
  const writer = new Writer(MEDIA_HEAD_BYTES + length).u32(newest.frameNo).u8(0).u8(all.length);
  for (const { frameNo, bytes } of all) {
    writer
      .u8(newest.frameNo - frameNo)
      .u8(bytes.length)
      .bytes(bytes);
  }
  return writer.end();
}

/** The newest first. Copies of the bytes. */
export function decodeMedia(data: Uint8Array): AudioFrame[] {
  const reader = new Reader(data);
  const newest = reader.u32();
  reader.zeros(1);
  const count = reader.u8();
  if (count < 1 || count > COPIES_MAX) throw new DecodeError(`${count} frames in one`);
  let last = -1;
  const frames = Array.from({ length: count }, () => {
    const [back, length] = [reader.u8(), reader.u8()];
    if (back <= last || back > BACK_MAX || back > newest)
      throw new DecodeError('a copy of nothing');
    if (length > AUDIO_BYTES_MAX) throw new DecodeError('20 ms of too many bytes');
    last = back;
    return { frameNo: newest - back, bytes: reader.bytes(length) };
  });
  reader.expectEnd();
  return frames;
}

export interface Report {
  readonly highest: number;
  /** Per mille. */
  readonly loss: number;
  readonly lossAfter: number;
  readonly jitterMs: number;
  readonly bufferMs: number;
  readonly timeMs: number;
  readonly echo: { readonly timeMs: number; readonly ageMs: number } | undefined;
}

export function encodeReport(report: Report): Uint8Array {
  const { highest, loss, lossAfter, jitterMs, bufferMs, timeMs, echo } = report;
  return new Writer(REPORT_BYTES)
    .u32(highest)
    .u16(loss)
    .u16(lossAfter)
    .u16(u16(jitterMs))
    .u16(u16(bufferMs))
    .u32(u32(timeMs))
    .u32(echo ? u32(echo.timeMs) : 0)
    .u16(echo ? Math.min(u16(echo.ageMs), NEVER - 1) : NEVER)
    .end();
}

export function decodeReport(data: Uint8Array): Report {
  const reader = new Reader(data);
  const [highest, loss, lossAfter] = [reader.u32(), reader.u16(), reader.u16()];
  if (loss > 1000 || lossAfter > 1000) throw new DecodeError('more than all is lost');
  const [jitterMs, bufferMs, timeMs] = [reader.u16(), reader.u16(), reader.u32()];
  const [echoMs, ageMs] = [reader.u32(), reader.u16()];
  reader.expectEnd();
  const echo = ageMs === NEVER ? undefined : { timeMs: echoMs, ageMs };
  return { highest, loss, lossAfter, jitterMs, bufferMs, timeMs, echo };
}

function u16(value: number): number {
  return Math.min(Math.max(0, Math.round(value)), NEVER);
}

export function u32(value: number): number {
  return Math.round(value) % 2 ** 32;
}
