import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { concatBytes } from '../bytes/index.ts';
import type { TcpStream } from '../runtime/index.ts';
import { BACKLOG_MAX, FIRST_RECORD_MS, RECORD_MS, RecordReader, RecordWriter } from './stream.ts';
import { DATAGRAM_BYTES, writeDataHeader } from './wire.ts';

function record(tag: number): Uint8Array {
  return new Uint8Array(DATAGRAM_BYTES).fill(tag);
}

function dataRecord(tag: number): Uint8Array {
  const bytes = record(tag);
  writeDataHeader(bytes, tag, tag);
  return bytes;
}

describe('reading records', () => {
  it('finds them again however the stream cuts them', () => {
    const sent = [1, 2, 3, 4].map(record);
    const cuts = fc.array(fc.nat(4 * DATAGRAM_BYTES), { maxLength: 12 });
    fc.assert(
      fc.property(cuts, (places) => {
        const all = concatBytes(...sent);
        const edges = [0, ...places.toSorted((a, b) => a - b), all.length];
        const reader = new RecordReader(0);
        const got: Uint8Array[] = [];
        edges.slice(1).forEach((edge, i) => {
          reader.push(all.subarray(edges[i], edge), 0, (one) => got.push(one.slice()));
        });
        expect(got).toEqual(sent);
      }),
      { seed: 1 },
    );
  });

  it('sets a deadline for the first record and for each that has begun', () => {
    const reader = new RecordReader(1000);
    expect(reader.deadlineMs).toBe(1000 + FIRST_RECORD_MS);
    reader.push(record(1).subarray(0, 551), 2000, () => {});
    expect(reader.deadlineMs).toBe(1000 + FIRST_RECORD_MS);
    reader.push(Uint8Array.of(1), 2500, () => {});
    expect(reader.deadlineMs).toBeUndefined();
    reader.push(Uint8Array.of(1), 9000, () => {});
    reader.push(Uint8Array.of(1), 9500, () => {});
    expect(reader.deadlineMs).toBe(9000 + RECORD_MS);
  });
});

describe('writing records', () => {
  function stuckStream(): { stream: TcpStream; written: number[]; drain(): void } {
    const written: number[] = [];
    let bufferedBytes = 0;
    const nothing = (): void => {};
    const stream: TcpStream = {
      remote: { ip: '127.0.0.1', port: 1 },
      get bufferedBytes() {
        return bufferedBytes;
      },
      write(bytes) {
        written.push(bytes[DATAGRAM_BYTES - 1] ?? -1);
        bufferedBytes += bytes.length;
      },
      pause: nothing,
      resume: nothing,
      end: nothing,
      destroy: nothing,
    };
    const drain = (): void => {
      bufferedBytes = 0;
    };
    return { stream, written, drain };
  }

  it('drops the oldest data once a stream has backed up, and keeps handshake packets', () => {
    const { stream, written, drain } = stuckStream();
    const writer = new RecordWriter(stream);
    writer.write(dataRecord(0));
    writer.write(record(100));
    const kept = Array.from({ length: 20 }, (_, i) => writer.write(dataRecord(1 + i)));
    expect(kept.filter((one) => !one)).toHaveLength(13);
    expect(written).toEqual([0]);
    drain();
    writer.flush();
    expect(written).toEqual([0, 100, 14, 15, 16, 17, 18, 19, 20]);
    expect(written).toHaveLength(1 + BACKLOG_MAX);
  });

  it('writes at once while the stream keeps up', () => {
    const { stream, written, drain } = stuckStream();
    const writer = new RecordWriter(stream);
    for (let tag = 0; tag < 5; tag++) {
      expect(writer.write(dataRecord(tag))).toBe(true);
      drain();
    }
    expect(written).toEqual([0, 1, 2, 3, 4]);
  });
});
