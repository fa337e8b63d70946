export { DhtApi, type DhtApiOptions } from './api-driver.ts';
export { type Contact, toContact } from './contact.ts';
export { COPIES_DEFAULT, DhtNode, type DhtNodeOptions, type DhtNodeStatus } from './driver.ts';
export { openShelf } from './files-driver.ts';
export type { OwnValue, ValueSigner } from './own-values.ts';
export { signedKey } from './record.ts';
export { RpsSeeds, type RpsSeedsOptions } from './rps-driver.ts';
export {
  decodeSavedNodes,
  decodeSavedValue,
  encodeSavedNodes,
  type SavedValue,
} from './saved.ts';
export { NO_SEEDS, type Seeds, type Shelf } from './shelf.ts';
