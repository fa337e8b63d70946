import { describe, expect, it } from 'vitest';
import { concatBytes, DecodeError, fromHex, toHex } from '../bytes/index.ts';
import { createLogger } from '../log/index.ts';
import { findLeaks, memorySink } from '../log/testing/index.ts';
import type { TcpStream } from '../runtime/index.ts';
import { VirtualTime } from '../sim/index.ts';
import {
  ApiConnection,
  type ApiHandler,
  OUTPUT_BYTES_MAX,
  PARTIAL_MESSAGE_MS,
} from './connection.ts';
import { encodeMessage, type SentBy, type TakenBy } from './message.ts';
import { ONION_API } from './onion.ts';

type In = TakenBy<typeof ONION_API>;
type Out = SentBy<typeof ONION_API>;

const DATA = encodeMessage({ type: 'onion tunnel data', tunnelId: 1, data: fromHex('c0ffee') });
const DESTROY = encodeMessage({ type: 'onion tunnel destroy', tunnelId: 1 });

/** A connection over a stream that only writes down what is done to it. */
function connect(handler: Partial<ApiHandler<In, Out>> = {}) {
  const events: string[] = [];
  const time = new VirtualTime();
  const sink = memorySink();
  const stream = {
    remote: { ip: '192.0.2.1', port: 1 },
    bufferedBytes: 0,
    write: (bytes: Uint8Array) => void events.push(`write ${toHex(bytes).slice(0, 16)}`),
    end: () => void events.push('end'),
    destroy: () => void events.push('destroy'),
    pause: () => {},
    resume: () => {},
  } satisfies TcpStream;
  const connection = new ApiConnection<In, Out>({
    id: 1,
    stream,
    takes: ONION_API.takes,
    timers: time,
    log: createLogger({ sink, clock: time, level: 'info' }),
    handler: {
      onMessage: (_, { type }) => void events.push(type),
      onClose: () => void events.push('closed'),
      ...handler,
    },
  });
  connection.begin();
  const { onData, onClose } = connection.handlers;
  const logged = () => sink.records.map(({ message }) => message);
  return { connection, onData, onClose, events, time, stream, logged, lines: sink.lines };
}

describe('an API connection', () => {
  it('hands over messages in order', () => {
    const { onData, events } = connect();
    onData(concatBytes(DATA, DESTROY, DATA));
    expect(events).toEqual(['onion tunnel data', 'onion tunnel destroy', 'onion tunnel data']);
  });

  it('closes at a violation, logs it once, and takes nothing more', () => {
    const { onData, onClose, events, logged, lines } = connect();
    onData(concatBytes(DESTROY, fromHex('000402080000'), DESTROY));
    onData(DESTROY);
    onClose();
    expect(events).toEqual(['onion tunnel destroy', 'destroy', 'closed']);
    expect(logged()).toEqual(['a message has a type that is not taken here']);
    expect(lines[0]).toMatch(
      / warn +a message has a type that is not taken here closedConnection=1 type=520$/,
    );
    expect(findLeaks(lines)).toEqual([]);
  });

  it.each([new TypeError('a bug'), new DecodeError('of something inside a message')])(
    'does not take what its handler throws for a violation: %s',
    (error) => {
      const { onData, events } = connect({
        onMessage: () => {
          throw error;
        },
      });
      expect(() => onData(DATA)).toThrow(error);
      expect(events).toEqual([]);
    },
  );

  it('takes nothing more once its handler has closed it', () => {
    const { onData, events, logged } = connect({
      onMessage: (connection) => connection.close('the tunnel is not one of this connection'),
    });
    onData(concatBytes(DATA, DATA, fromHex('0000')));
    expect(events).toEqual(['destroy']);
    expect(logged()).toEqual(['the tunnel is not one of this connection']);
  });

  it('sends what is queued and closes when its handler ends it', () => {
    const { connection, onData, onClose, events, logged } = connect();
    connection.send({ type: 'onion tunnel incoming', tunnelId: 9 });
    connection.end();
    connection.end();
    connection.send({ type: 'onion tunnel incoming', tunnelId: 9 });
    onData(DATA);
    onClose();
    expect(events).toEqual(['write 0008023200000009', 'end', 'closed']);
    expect(logged()).toEqual([]);
  });

  it('tells when it is closed', async () => {
    const { connection, onClose, events } = connect();
    onClose();
    await connection.closed;
    expect(events).toEqual(['closed']);
  });
});

describe('a message that does not come to its end', () => {
  it('closes the connection 10 s after its first byte, whatever comes meanwhile', () => {
    const { onData, events, time, logged } = connect();
    for (const byte of DATA.subarray(0, 10)) {
      expect(events).toEqual([]);
      onData(Uint8Array.of(byte));
      time.advance(PARTIAL_MESSAGE_MS / 10);
    }
    expect(events).toEqual(['destroy']);
    expect(logged()).toEqual(['a message is not complete after 10 s']);
  });

  it('has 10 s of its own, even when it began with the end of another', () => {
    const { onData, events, time } = connect();
    onData(DATA.subarray(0, 5));
    time.advance(PARTIAL_MESSAGE_MS - 1);
    onData(concatBytes(DATA.subarray(5), DATA.subarray(0, 5)));
    time.advance(PARTIAL_MESSAGE_MS - 1);
    expect(events).toEqual(['onion tunnel data']);
    time.advance(1);
    expect(events).toEqual(['onion tunnel data', 'destroy']);
  });

  it('is nothing to wait for between messages, and after the end', () => {
    const { onData, onClose, events, time } = connect();
    time.advance(10 * PARTIAL_MESSAGE_MS);
    onData(DATA);
    expect(time.pending).toBe(0);
    time.advance(10 * PARTIAL_MESSAGE_MS);
    onData(DATA.subarray(0, 5));
    expect(time.pending).toBe(1);
    onClose();
    expect(time.pending).toBe(0);
    expect(events).toEqual(['onion tunnel data', 'closed']);
  });
});

describe('output that nobody reads', () => {
  const incoming = { type: 'onion tunnel incoming', tunnelId: 9 } as const;

  it('closes the connection at 4 MiB', () => {
    const { connection, stream, events, logged } = connect();
    stream.bufferedBytes = OUTPUT_BYTES_MAX - 8;
    connection.send(incoming);
    stream.bufferedBytes = OUTPUT_BYTES_MAX - 7;
    connection.send(incoming);
    connection.send(incoming);
    expect(events).toEqual(['write 0008023200000009', 'destroy']);
    expect(logged()).toEqual(['more than 4 MiB are waiting to be read']);
  });

  it('does not excuse a message that cannot be sent', () => {
    const { connection } = connect();
    const misfit = { ...incoming, tunnelId: -1 };
    expect(() => connection.send(misfit)).toThrow(RangeError);
    connection.end();
    expect(() => connection.send(misfit)).toThrow(RangeError);
  });
});
