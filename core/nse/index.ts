export type { Flood, FloodItem, FloodListener, Opinion } from '../module-api/index.ts';
export { GossipFlood, type GossipFloodOptions } from '../module-api/index.ts';
export { NseApi, type NseApiOptions } from './api-driver.ts';
export { NseNode, type NseNodeOptions, type NseStatus } from './driver.ts';
export type { Estimate, Signer } from './nse.ts';
export { NSE_DATA_TYPE } from './wire.ts';
