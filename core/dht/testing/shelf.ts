// A shelf in memory, whose contents outlive the node.

import type { Contact } from '../contact.ts';
import { decodeSavedValue, type SavedValue } from '../saved.ts';
import type { Shelf } from '../shelf.ts';

export class MemoryShelf implements Shelf {
  readonly files = new Map<string, Uint8Array>();
  contacts: readonly Contact[] = [];

  get values(): readonly SavedValue[] {
    return [...this.files.values()].map(decodeSavedValue);
  }

  keep(name: string, bytes: Uint8Array): void {
    this.files.set(name, bytes);
  }

  discard(name: string): void {
    this.files.delete(name);
  }

  keepContacts(contacts: readonly Contact[]): void {
    this.contacts = contacts;
  }

  async flush(): Promise<void> {}
}
