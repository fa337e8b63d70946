// An initiator and a responder without any transport: the test carries what one says to the other, or does not.

import type { Identity } from '../../identity/index.ts';
import type { HandshakeInput, HandshakeOptions, HandshakeOutput } from '../handshake.ts';
import { Initiator } from '../initiator.ts';
import { Responder } from '../responder.ts';

type Outputs = readonly HandshakeOutput[];

export const WELCOME: HandshakeInput = { type: 'verdict', verdict: 'welcome' };
export const TICK: HandshakeInput = { type: 'tick' };

export class Talk {
  readonly a: Initiator;
  readonly #aOptions: HandshakeOptions;
  readonly #bOptions: HandshakeOptions;
  #b: Responder | undefined;

  constructor(a: HandshakeOptions, b: HandshakeOptions, wanted: Identity = b.self.identity) {
    this.#aOptions = a;
    this.#bOptions = b;
    this.a = new Initiator(wanted, a);
  }

  get b(): Responder {
    if (this.#b === undefined) throw new Error('no INIT has come');
    return this.#b;
  }

  /** What B answers to all that A said. */
  toB(said: Outputs, nowMs = 0): HandshakeOutput[] {
    return inputsFrom(said, this.#aOptions).flatMap((input) => {
      if (input.type === 'noise') this.#b ??= new Responder(input, this.#bOptions);
      return this.b.handle(input, nowMs);
    });
  }

  toA(said: Outputs, nowMs = 0): HandshakeOutput[] {
    return inputsFrom(said, this.#bOptions).flatMap((input) => [...this.a.handle(input, nowMs)]);
  }

  /** Up to CERT, which A has not got yet. */
  upToCert(): HandshakeOutput[] {
    return this.toB(this.toA(this.toB(this.a.handle(TICK, 0))));
  }

  /** Up to A's CERT and PQ_EK, which B has not got yet. */
  upToOffer(): HandshakeOutput[] {
    this.toA(this.upToCert());
    return [...this.a.handle(WELCOME, 0)];
  }

  /** Up to B's final keys and PQ_CT, which A has not got yet. */
  upToAnswer(): HandshakeOutput[] {
    this.toB(this.upToOffer());
    return [...this.b.handle(WELCOME, 0)];
  }
}

function inputsFrom(said: Outputs, { indices }: HandshakeOptions): HandshakeInput[] {
  return said.flatMap((output): HandshakeInput[] => {
    if (output.type === 'control') return [output];
    if (output.type !== 'send') return [];
    const { step, noise } = output;
    return [{ type: 'noise', step, noise, senderIndex: step === 'fin' ? 0 : indices.setup }];
  });
}

/** Outputs in short: 'send init', 'session open', 'control cert', 'failed timeout', 'judge', 'open', 'drop …'. */
export function names(outputs: Outputs): string[] {
  return outputs.map((output) => {
    switch (output.type) {
      case 'send':
        return `send ${output.step}`;
      case 'session':
        return `session ${output.stage}`;
      case 'control':
        return `control ${output.message.type}`;
      case 'failed':
      case 'drop':
        return `${output.type} ${output.why}`;
      default:
        return output.type;
    }
  });
}

/** The one output of this type. */
export function only<T extends HandshakeOutput['type']>(
  outputs: Outputs,
  type: T,
): HandshakeOutput & { type: T } {
  const found = outputs.filter((one): one is HandshakeOutput & { type: T } => one.type === type);
  const [first] = found;
  if (first === undefined || found.length > 1) throw new Error(`${found.length} times ${type}`);
  return first;
}
