// The node that is flooded, in a process of its own, so that its share of the processor can be told.

import { manyHostkeys } from '../core/identity/testing/many-keys.ts';
import type { Address } from '../core/runtime/index.ts';
import { type Heard, type Member, RoundClock, Speaker } from './speaker.ts';

/** Less than the slots carry, so that nothing waits for long. */
export const SPEAK_EVERY_MS = 25;

export type ToFlooded =
  /** Of the addresses the first is its own, and its tunnel goes to the second. */
  | {
      readonly type: 'start';
      readonly addresses: readonly Address[];
      readonly roundSeconds: number;
      readonly aheadMs: number;
    }
  | { readonly type: 'set ahead'; readonly aheadMs: number }
  | { readonly type: 'speak' }
  | { readonly type: 'report' };

/** The answer to each message. */
export interface FloodedReport {
  readonly cpuMs: number;
  readonly said: readonly number[];
  readonly heard: readonly Heard[];
  /** Places that handshakes of others take. */
  readonly callers: number;
}

let clock: RoundClock | undefined;
let speaker: Speaker | undefined;
let ready: Promise<void> | undefined;

async function handle(message: ToFlooded): Promise<void> {
  switch (message.type) {
    case 'start': {
      const { addresses, roundSeconds, aheadMs } = message;
      clock = new RoundClock(roundSeconds, aheadMs);
      const [me, ...others] = membersAt(addresses);
      const [partner] = others;
      if (me === undefined || partner === undefined) throw new Error('too few addresses');
      speaker = await Speaker.start({ me, others, clock });
      ready = speaker.build(partner);
      break;
    }
    case 'set ahead':
      if (clock !== undefined) clock.aheadMs = message.aheadMs;
      await ready;
      break;
    case 'speak':
      speaker?.speak(SPEAK_EVERY_MS);
      break;
    default:
  }
}

export function membersAt(addresses: readonly Address[]): Member[] {
  return manyHostkeys(addresses.length).map((hostkey, i) => ({
    hostkey,
    address: addresses[i] ?? { ip: '', port: 0 },
  }));
}

function report(): FloodedReport {
  const { user, system } = process.cpuUsage();
  return {
    cpuMs: (user + system) / 1000,
    said: speaker?.said.splice(0) ?? [],
    heard: speaker?.heard.splice(0) ?? [],
    callers: speaker?.status.links.callers ?? 0,
  };
}

process.on('message', (message: ToFlooded) => {
  void handle(message).then(() => process.send?.(report()));
});
process.on('disconnect', () => process.exit());
