// How the parts of the machine ask other nodes and learn the time: dht.ts gives them this.

import type { Now } from '../link/index.ts';
import type { Contact } from './contact.ts';
import type { DhtAnswer, DhtRequest } from './wire.ts';

type AnswerTo<R extends DhtRequest['type']> = Extract<
  DhtAnswer,
  {
    readonly type: R extends 'ping'
      ? 'pong'
      : R extends 'find parts'
        ? 'parts'
        : R extends 'find node' | 'find value'
          ? 'found'
          : 'stored';
  }
>;

export interface Asking {
  now(): Now;
  /** `done` is called once and later: with an answer of the right type, or with nothing when there was none. */
  ask<R extends DhtRequest>(
    to: Contact,
    request: R,
    done: (answer: AnswerTo<R['type']> | undefined) => void,
  ): void;
}
