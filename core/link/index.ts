export { Bans, SAVED_BANS_MAX, type SavedBan } from './bans.ts';
export {
  BODY_BYTES,
  CELL_BYTES,
  CELL_HEADER_BYTES,
  COMMAND,
  type Command,
  cellBody,
  cellCircuit,
  cellCommand,
  cellFault,
  fragmentCount,
  fragmentIndex,
  writeCellHeader,
  writeFragment,
} from './cells.ts';
export {
  ControlAssembly,
  type ControlMessage,
  type ControlType,
  encodeControl,
} from './control.ts';
export { NodeCredentials, type NodeCredentialsOptions } from './credentials.ts';
export type { Target } from './dial.ts';
export type {
  Handshake,
  HandshakeFailure,
  HandshakeInput,
  HandshakeOptions,
  HandshakeOutput,
  NoiseMessage,
  OpenLink,
} from './handshake.ts';
export { Initiator } from './initiator.ts';
export { LINK_LIMITS, type LinkLimits } from './judge.ts';
export type { KeyChain, TrafficKeys } from './keys.ts';
export type { LinkSelf, Now } from './link.ts';
export { Links, type LinksOptions } from './links.ts';
export type * from './links-port.ts';
export {
  type CellSource,
  type LinkCounters,
  LinkPlane,
  type LinkPlaneOptions,
  OneCell,
} from './plane.ts';
export type * from './port.ts';
export { PROOF_RETRY_MS, Proofs } from './proofs.ts';
export { Quota, TokenBuckets } from './quota.ts';
export { Responder } from './responder.ts';
export { type Opened, Session, type SessionOptions } from './session.ts';
export { DATAGRAM_BYTES, NOISE_BYTES, type NoiseStep } from './wire.ts';
