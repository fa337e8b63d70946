// The faults for which voidphone-api.md ("Framing") closes a connection. The reasons are literals so that they can be
// logged; of what the other side sent, only the number of a type is told.

import { DecodeError } from '../bytes/index.ts';

export type ViolationReason =
  | 'a message says it is shorter than its header'
  | 'a message has an unknown type'
  | 'a message has a type that is not taken here'
  | 'the size of a message does not fit its type'
  | 'the fields of a message cannot be read';

export class Violation extends DecodeError {
  readonly reason: ViolationReason;
  /** As the header says it. 0, which no message has, when it was not read. */
  readonly typeNumber: number;

  constructor(reason: ViolationReason, typeNumber = 0) {
    super(reason);
    this.reason = reason;
    this.typeNumber = typeNumber;
  }
}
