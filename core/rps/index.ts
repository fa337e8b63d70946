export { RpsApi, type RpsApiOptions } from './api-driver.ts';
export type { Warning } from './checks.ts';
export type { Contact } from './contact.ts';
export { CONTACT_DATA_TYPE, RpsNode, type RpsNodeOptions } from './driver.ts';
export { NseSize, type NseSizeOptions } from './nse-driver.ts';
export type { RpsStatus, Sampled } from './port.ts';
export type { Reach } from './reachability.ts';
export { RPS_STATE, type SavedState } from './state.ts';
