export type { Block, Undo } from './barriers.ts';
export type {
  AccessLine,
  Host,
  HostOptions,
  Program,
  ProgramEnvironment,
  Running,
} from './host.ts';
export type { Nat, NatOptions } from './nat.ts';
export type { Interference, Loss, Sighting, Tap } from './network.ts';
export type { Datagram, Packet, Protocol, Segment, TcpPacket } from './packet.ts';
export { wireBytes } from './packet.ts';
export type { ProfileChoice } from './path.ts';
export {
  type BurstLoss,
  bursts,
  EU,
  LAN,
  type Latency,
  type PathProfile,
  WAN,
} from './profiles.ts';
export { type SimulateOptions, simulate } from './simulate.ts';
export { Trace } from './trace.ts';
export { settled, VirtualTime, WALL_START_MS } from './virtual-time.ts';
export { World, type WorldOptions } from './world.ts';
