// Names of hosts, as our own user or configuration gives them. Names that came from other nodes are never looked up: that
// would tell a name server whom we talk to.

import { lookup } from 'node:dns/promises';
import type { Address, HostPort } from './address.ts';

/** Undefined for a name that has no address now. */
export async function resolveHost({ host, port }: HostPort): Promise<Address | undefined> {
  try {
    const { address } = await lookup(host);
    return { ip: address, port };
  } catch {
    return undefined;
  }
}
