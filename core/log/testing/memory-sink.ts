// A sink that keeps what was logged, for tests: the records to assert on, and the lines to look for leaks in.

import { realRng } from '../../runtime/index.ts';
import { jsonSink, type LogRecord, lineSink, type Sink, saltedTags } from '../index.ts';

export interface MemorySink extends Sink {
  readonly records: readonly LogRecord[];
  /** Every record twice, as the two sinks of the program would have printed it. */
  readonly lines: readonly string[];
}

export function memorySink(): MemorySink {
  const records: LogRecord[] = [];
  const lines: string[] = [];
  const options = { print: (line: string) => lines.push(line), show: saltedTags(realRng) };
  const sinks = [lineSink(options), jsonSink(options)];
  return {
    records,
    lines,
    write(record) {
      records.push(record);
      for (const sink of sinks) sink.write(record);
    },
  };
}
