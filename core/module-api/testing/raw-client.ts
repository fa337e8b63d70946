// A client that sends bytes, right or wrong, over the system's TCP: for tests of whatever serves a module API.

import { concatBytes } from '../../bytes/index.ts';
import { type Address, realRuntime } from '../../runtime/index.ts';
import { Framing } from '../framing.ts';
import type { MessageOf, MessageType } from '../message.ts';

const DIAL_TIMEOUT_MS = 5000;

export interface RawClient<T extends MessageType> {
  send(...parts: readonly Uint8Array[]): void;
  /** What has come so far. */
  readonly received: readonly MessageOf<T>[];
  /** Stop and restart reading. */
  pause(): void;
  resume(): void;
  readonly isClosed: boolean;
  destroy(): void;
}

export async function rawClient<T extends MessageType>(
  to: Address,
  understands: readonly T[],
): Promise<RawClient<T>> {
  const framing = new Framing(understands);
  const received: MessageOf<T>[] = [];
  let isClosed = false;
  const stream = await realRuntime.network.dialTcp(to, {
    timeoutMs: DIAL_TIMEOUT_MS,
    handlers: {
      onData: (bytes) => void received.push(...framing.push(bytes)),
      onClose: () => {
        isClosed = true;
      },
    },
  });
  return {
    received,
    get isClosed() {
      return isClosed;
    },
    send: (...parts) => stream.write(concatBytes(...parts)),
    pause: () => stream.pause(),
    resume: () => stream.resume(),
    destroy: () => stream.destroy(),
  };
}
