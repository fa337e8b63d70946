// Where the DHT keeps what has to survive a restart, and where it finds its first nodes, as its driver sees them. Files are
// files-driver.ts's; within a node both come from the node's own parts.

import type { Contact } from './contact.ts';
import type { SavedValue } from './saved.ts';

export interface Shelf {
  /** Of the last run. */
  readonly values: readonly SavedValue[];
  readonly contacts: readonly Contact[];
  /** Written in the order of the calls, some time later. */
  keep(name: string, bytes: Uint8Array): void;
  discard(name: string): void;
  keepContacts(contacts: readonly Contact[]): void;
  /** Resolves when all is written. */
  flush(): Promise<void>;
}

export interface Seeds {
  /** Random nodes of the DHT, at most so many; none if nobody is known. */
  sample(count: number): Promise<readonly Contact[]>;
}

/** For a node that waits to be called, or knows others from its last run. */
export const NO_SEEDS: Seeds = { sample: async () => [] };
