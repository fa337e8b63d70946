export { NseApi, type NseApiOptions } from './api-driver.ts';
export { NseNode, type NseNodeOptions, type NseStatus } from './driver.ts';
export type { Flood, FloodItem, FloodListener, Opinion } from './flood.ts';
export { GossipFlood, type GossipFloodOptions } from './gossip-driver.ts';
export type { Estimate, Signer } from './nse.ts';
export { NSE_DATA_TYPE } from './wire.ts';
