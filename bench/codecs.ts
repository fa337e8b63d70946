// Encoding and decoding: what each costs that happens per packet or per message of a module's API.

import { Reader, Writer } from '../core/bytes/index.ts';
import { COMMAND, cellFault, writeCellHeader } from '../core/link/index.ts';
import { encodeMessage, Framing, ONION_API } from '../core/module-api/index.ts';
import { encodeInner, INNER, InnerReceiver } from '../core/onion/inner.ts';
import type { Recorder } from './harness.ts';

export function benchCodecs(recorder: Recorder): void {
  const cell = new Uint8Array(520);
  const plaintext = new Uint8Array(488);
  const [data = new Uint8Array()] = encodeInner(INNER.data, new Uint8Array(484), 0);
  plaintext.set(data);
  const inner = new InnerReceiver();
  const message = { type: 'onion tunnel data', tunnelId: 7, data: new Uint8Array(480) } as const;
  const encoded = encodeMessage(message);
  const framing = new Framing(ONION_API.takes);
  recorder.timeEach({
    'reader: u8, u16, u32, u64': () => {
      const reader = new Reader(cell);
      return reader.u8() + reader.u16() + reader.u32() + Number(reader.u64());
    },
    'writer: u8, u16, u32, u64': () => new Writer(15).u8(1).u16(2).u32(3).u64(4).end(),
    'cell: write header and check it': () => {
      writeCellHeader(cell, 1, COMMAND.relay);
      return cellFault(cell);
    },
    'inner: encode 484 bytes': () => encodeInner(INNER.data, plaintext.subarray(0, 484), 0),
    'inner: receive 484 bytes': () => inner.receive(plaintext, 0),
    'API: encode ONION TUNNEL DATA': () => encodeMessage(message),
    'API: frame and decode ONION TUNNEL DATA': () => [...framing.push(encoded)],
  });
}
