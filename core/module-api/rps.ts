// The RPS API, 540-541 (voidphone-api.md, "RPS"). After the header:
//
//   540 RPS QUERY  nothing
//   541 RPS PEER   port u16 | #portmap u8 | reserved 7 bits | V 1 bit | #portmap times (app u16 | port u16)
//                  | IPv4 (4 bytes, V = 0) or IPv6 (16 bytes, V = 1) address | hostkey

import type { Reader } from '../bytes/index.ts';
import { type Address, IP_BYTES } from '../runtime/index.ts';
import { type Codec, exactly } from './codec.ts';
import {
  HOSTKEY_BYTES_MAX,
  ipBytes,
  isV6,
  readHostkey,
  readIp,
  V,
  writeHostkey,
  writeIp,
} from './peer-fields.ts';

export const RPS_API = { takes: ['rps query'], sends: ['rps peer'] } as const;

/** The numbers of the modules in a portmap. */
export const PORTMAP_APPS = { dht: 650, gossip: 500, nse: 520, onion: 560 } as const;

export interface RpsQuery {
  readonly type: 'rps query';
}

export const rpsQuery: Codec<RpsQuery> = {
  number: 540,
  size: exactly(0),
  write: () => {},
  read: () => ({ type: 'rps query' }),
};

export interface PortmapEntry {
  /** One of PORTMAP_APPS, or a number we do not know. */
  readonly app: number;
  readonly port: number;
}

export interface RpsPeer {
  readonly type: 'rps peer';
  readonly address: Address;
  /** In the order of the message; nothing keeps a peer from naming an app twice. */
  readonly portmap: readonly PortmapEntry[];
  readonly hostkey: Uint8Array;
}

/** Port, #portmap, V. */
const FIXED_BYTES = 4;
const ENTRY_BYTES = 4;
const ENTRIES_MAX = 255;

export const rpsPeer: Codec<RpsPeer> = {
  number: 541,
  size: {
    min: FIXED_BYTES + ipBytes('0.0.0.0') + 1,
    max: FIXED_BYTES + ENTRIES_MAX * ENTRY_BYTES + IP_BYTES + HOSTKEY_BYTES_MAX,
    of: ({ address, portmap, hostkey }) =>
      FIXED_BYTES + portmap.length * ENTRY_BYTES + ipBytes(address.ip) + hostkey.length,
  },
  write: (writer, { address, portmap, hostkey }) => {
    writer.u16(address.port).u8(portmap.length);
    writer.u8(isV6(address.ip) ? V : 0);
    for (const { app, port } of portmap) writer.u16(app).u16(port);
    writeIp(writer, address.ip);
    writeHostkey(writer, hostkey);
  },
  read: (reader) => {
    const port = reader.u16();
    const entries = reader.u8();
    const v6 = (reader.u8() & V) !== 0;
    const portmap = readPortmap(reader, entries);
    const ip = readIp(reader, v6);
    return { type: 'rps peer', address: { ip, port }, portmap, hostkey: readHostkey(reader) };
  },
};

function readPortmap(reader: Reader, entries: number): PortmapEntry[] {
  return Array.from({ length: entries }, () => ({ app: reader.u16(), port: reader.u16() }));
}
