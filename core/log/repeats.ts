// Keeps whoever can provoke a message from filling the log with it: of one message in one area, so many per window,
// and once the window is over a record that says how many were left out. There is no timer: that record comes with
// the next call, whatever it is about.

import type { LogRecord } from './logger.ts';

/** Guesses: enough to see what is going on, too little to fill a disk (some 10 MB a day for each message). */
const REPEATS_MAX = 20;
const WINDOW_MS = 60_000;
/** Messages are literals, so the source bounds the table; this bounds it whatever the source does. */
const MESSAGES_MAX = 1024;

interface Window {
  readonly endMs: number;
  readonly first: LogRecord;
  count: number;
}

export class RepeatLimit {
  /** By level, area and message, in the order of their ends; at most MESSAGES_MAX. */
  readonly #windows = new Map<string, Window>();

  /** What to write now: news about windows that are over, then the record unless it is one too many. */
  admit(record: LogRecord, nowMs: number): readonly LogRecord[] {
    const admitted = this.#close(nowMs, record.wallMs);
    const key = `${record.level} ${record.area} ${record.message}`;
    const window = this.#windows.get(key) ?? { endMs: nowMs + WINDOW_MS, first: record, count: 0 };
    this.#windows.set(key, window);
    window.count++;
    if (window.count <= REPEATS_MAX) admitted.push(record);
    return admitted;
  }

  #close(nowMs: number, wallMs: number): LogRecord[] {
    const news: LogRecord[] = [];
    for (const [key, { endMs, first, count }] of this.#windows) {
      if (nowMs < endMs && this.#windows.size < MESSAGES_MAX) break;
      this.#windows.delete(key);
      const suppressed = count - REPEATS_MAX;
      if (suppressed > 0) news.push({ ...first, wallMs, fields: { suppressed } });
    }
    return news;
  }
}
