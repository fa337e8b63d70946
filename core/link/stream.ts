// A link's datagrams over a stream (protocol 3.1, "Stream fallback"): TCP or a SOCKS5 proxy carries the same 552 bytes,
// one after the other. A stream must not queue what a datagram socket would lose: when it backs up, the oldest data
// packet goes, and head-of-line blocking becomes loss, which voice can bear.

import type { TcpStream } from '../runtime/index.ts';
import { DATAGRAM_BYTES, isData } from './wire.ts';

/** 160 ms of one circuit (protocol 3.1). */
export const BACKLOG_MAX = 8;
/** A stream that has not brought its first record by then, or then takes longer for one, is closed. */
export const FIRST_RECORD_MS = 3000;
export const RECORD_MS = 5000;

/** Cuts what arrives into records; keeps at most one that is incomplete. */
export class RecordReader {
  readonly #record = new Uint8Array(DATAGRAM_BYTES);
  #filled = 0;
  /** When the record under way must be complete; undefined between records. */
  #deadlineMs: number | undefined;

  constructor(nowMs: number) {
    this.#deadlineMs = nowMs + FIRST_RECORD_MS;
  }

  get deadlineMs(): number | undefined {
    return this.#deadlineMs;
  }

  /** Calls `onRecord` for each complete record, with a view that is valid during the call. */
  push(bytes: Uint8Array, nowMs: number, onRecord: (record: Uint8Array) => void): void {
    let at = 0;
    while (at < bytes.length) {
      const piece = bytes.subarray(at, at + DATAGRAM_BYTES - this.#filled);
      this.#record.set(piece, this.#filled);
      this.#filled += piece.length;
      at += piece.length;
      if (this.#filled < DATAGRAM_BYTES) break;
      this.#filled = 0;
      this.#deadlineMs = undefined;
      onRecord(this.#record);
    }
    if (this.#filled > 0) this.#deadlineMs ??= nowMs + RECORD_MS;
  }
}

/** Writes records, at most BACKLOG_MAX of which wait here; the system's own buffer is kept empty. */
export class RecordWriter {
  readonly #stream: TcpStream;
  readonly #waiting: Uint8Array[] = [];

  constructor(stream: TcpStream) {
    this.#stream = stream;
  }

  /** False when the stream has backed up, so that one record, this or an older one, is not going to be sent. */
  write(record: Uint8Array): boolean {
    if (this.#waiting.length === 0 && this.#stream.bufferedBytes === 0) {
      this.#stream.write(record);
      return true;
    }
    this.#waiting.push(new Uint8Array(record));
    if (this.#waiting.length <= BACKLOG_MAX) return true;
    const oldestData = this.#waiting.findIndex(isData);
    this.#waiting.splice(Math.max(oldestData, 0), 1);
    return false;
  }

  /** When the stream has sent what it had, or is about to end. */
  flush(): void {
    for (const record of this.#waiting.splice(0)) this.#stream.write(record);
  }
}
