// What the machine of the DHT is told and what it wants done: all there is between dht.ts and driver.ts.

import type { PowTask } from '../crypto/index.ts';
import type { Identity } from '../identity/index.ts';
import type { Contact } from './contact.ts';
import type { OwnValue } from './own-values.ts';
import type { RecordFault } from './record.ts';

export type { Now } from '../link/index.ts';

/** The machine's number of a call to another node. */
export type CallId = number;
/** The driver's number of a request of another node. */
export type RequestId = number;
/** The driver's number of a GET. */
export type GetId = number;

/** Who asks us, proven by its link. */
export interface Caller {
  readonly identity: Identity;
  /** Where its link comes from. */
  readonly ip: string;
  /** Where it says that it can be called, if that is the same place. */
  readonly contact: Contact | undefined;
}

export type DhtInput =
  | { readonly type: 'tick' }
  /** Of another node; answered with `answer`, at once or not at all. */
  | {
      readonly type: 'request';
      readonly request: RequestId;
      readonly from: Caller;
      readonly bytes: Uint8Array;
    }
  | {
      readonly type: 'answered';
      readonly call: CallId;
      readonly bytes: Uint8Array;
      readonly ip: string;
    }
  /** `isAway`: it is not there; otherwise it has too much to do. */
  | { readonly type: 'failed'; readonly call: CallId; readonly isAway: boolean }
  | ({ readonly type: 'put' } & OwnValue)
  | { readonly type: 'solved'; readonly work: number; readonly nonce: Uint8Array }
  | { readonly type: 'find'; readonly get: GetId; readonly key: Uint8Array }
  /** Nodes to begin with, from wherever. */
  | { readonly type: 'seeds'; readonly contacts: readonly Contact[] };

export type DhtOutput =
  | {
      readonly type: 'call';
      readonly call: CallId;
      readonly to: Contact;
      readonly request: Uint8Array;
    }
  | { readonly type: 'answer'; readonly request: RequestId; readonly bytes: Uint8Array }
  /** The answer to `find`; undefined: there is none. */
  | { readonly type: 'found'; readonly get: GetId; readonly value: Uint8Array | undefined }
  | { readonly type: 'solve'; readonly work: number; readonly task: PowTask }
  | { readonly type: 'want seeds'; readonly count: number }
  /** For the disk, under a name; the last word on it counts. */
  | { readonly type: 'keep'; readonly name: string; readonly bytes: Uint8Array }
  | { readonly type: 'discard'; readonly name: string }
  | { readonly type: 'drop'; readonly why: Drop };

export type Drop = 'malformed' | 'token' | 'too many puts' | 'too many gets' | RecordFault;

/** Of what is shown to people. */
export interface DhtStatus {
  readonly nodes: number;
  readonly values: number;
  readonly bytes: number;
  readonly gets: number;
  readonly publications: number;
}
