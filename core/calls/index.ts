export type { CallInput, CallOutput } from './call-port.ts';
export type { CallState } from './call-table.ts';
export { Calls } from './calls.ts';
export type {
  CallNumber,
  CallsInput,
  CallsOptions,
  CallsOutput,
  LegNumber,
  UserCommand,
} from './calls-port.ts';
export type { NextMeetingPoint } from './control.ts';
export { type CallEnd, END_REASONS, type EndReason } from './end.ts';
export { FRAME_BYTES } from './frame.ts';
export { HINT_BYTES, type OwnKeys, type Peer, type PeerKeys } from './handshake.ts';
export { AUDIO_BYTES_MAX, type AudioFrame, type Report } from './media-wire.ts';
export type { Sas } from './sas.ts';
