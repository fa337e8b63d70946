export { MAX_RELAY_CIRCUITS } from './admission.ts';
export { OnionApi, type OnionApiOptions } from './api-driver.ts';
export { type ClientEvent, OnionNode, type OnionNodeOptions, type OnionStatus } from './driver.ts';
export type { Guard } from './guards.ts';
export { GUARDS, type GuardsFile, openGuardsFile } from './guards-file.ts';
export { type Peer, toPeer } from './peer.ts';
export { type StartPlane, startPlaneHere, startPlaneThread } from './plane-driver.ts';
export { RpsPeers, type RpsPeersOptions } from './rps-driver.ts';
export { onionTiming, ROUND_SECONDS, ROUND_SECONDS_MIN, TICK_MS } from './timing.ts';
