// The Onion API, 560-566 (voidphone-api.md, "Onion"). After the header:
//
//   560 ONION TUNNEL BUILD     reserved 15 bits | V 1 bit | onion port u16
//                              | IPv4 (4 bytes, V = 0) or IPv6 (16 bytes, V = 1) address | hostkey
//   561 ONION TUNNEL READY     tunnel ID u32 | hostkey
//   562 ONION TUNNEL INCOMING  tunnel ID u32
//   563 ONION TUNNEL DESTROY   tunnel ID u32
//   564 ONION TUNNEL DATA      tunnel ID u32 | data
//   565 ONION ERROR            request type u16 | reserved u16 | tunnel ID u32
//   566 ONION COVER            cover size u16 | reserved u16
//
// All hostkeys are the destination's. Who may send what when is the Onion module's business.

import { type Address, IP_BYTES } from '../runtime/index.ts';
import { BODY_BYTES_MAX, type Codec, exactly } from './codec.ts';
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

export const ONION_API = {
  takes: ['onion tunnel build', 'onion tunnel destroy', 'onion tunnel data', 'onion cover'],
  sends: ['onion tunnel ready', 'onion tunnel incoming', 'onion tunnel data', 'onion error'],
} as const;

const WORD_BYTES = 4;

/** The longest data that fits a message. */
export const TUNNEL_DATA_BYTES_MAX = BODY_BYTES_MAX - WORD_BYTES;

export interface OnionTunnelBuild {
  readonly type: 'onion tunnel build';
  /** Where the destination's Onion module listens. */
  readonly address: Address;
  readonly hostkey: Uint8Array;
}

export const onionTunnelBuild: Codec<OnionTunnelBuild> = {
  number: 560,
  size: {
    min: WORD_BYTES + ipBytes('0.0.0.0') + 1,
    max: WORD_BYTES + IP_BYTES + HOSTKEY_BYTES_MAX,
    of: ({ address, hostkey }) => WORD_BYTES + ipBytes(address.ip) + hostkey.length,
  },
  write: (writer, { address, hostkey }) => {
    writer.u16(isV6(address.ip) ? V : 0).u16(address.port);
    writeIp(writer, address.ip);
    writeHostkey(writer, hostkey);
  },
  read: (reader) => {
    const v6 = (reader.u16() & V) !== 0;
    const port = reader.u16();
    const ip = readIp(reader, v6);
    return { type: 'onion tunnel build', address: { ip, port }, hostkey: readHostkey(reader) };
  },
};

export interface OnionTunnelReady {
  readonly type: 'onion tunnel ready';
  readonly tunnelId: number;
  readonly hostkey: Uint8Array;
}

export const onionTunnelReady: Codec<OnionTunnelReady> = {
  number: 561,
  size: {
    min: WORD_BYTES + 1,
    max: WORD_BYTES + HOSTKEY_BYTES_MAX,
    of: ({ hostkey }) => WORD_BYTES + hostkey.length,
  },
  write: (writer, { tunnelId, hostkey }) => writeHostkey(writer.u32(tunnelId), hostkey),
  read: (reader) => ({
    type: 'onion tunnel ready',
    tunnelId: reader.u32(),
    hostkey: readHostkey(reader),
  }),
};

export interface OnionTunnelIncoming {
  readonly type: 'onion tunnel incoming';
  readonly tunnelId: number;
}

export const onionTunnelIncoming: Codec<OnionTunnelIncoming> = {
  number: 562,
  size: exactly(WORD_BYTES),
  write: (writer, { tunnelId }) => writer.u32(tunnelId),
  read: (reader) => ({ type: 'onion tunnel incoming', tunnelId: reader.u32() }),
};

export interface OnionTunnelDestroy {
  readonly type: 'onion tunnel destroy';
  readonly tunnelId: number;
}

export const onionTunnelDestroy: Codec<OnionTunnelDestroy> = {
  number: 563,
  size: exactly(WORD_BYTES),
  write: (writer, { tunnelId }) => writer.u32(tunnelId),
  read: (reader) => ({ type: 'onion tunnel destroy', tunnelId: reader.u32() }),
};

export interface OnionTunnelData {
  readonly type: 'onion tunnel data';
  readonly tunnelId: number;
  readonly data: Uint8Array;
}

export const onionTunnelData: Codec<OnionTunnelData> = {
  number: 564,
  size: {
    min: WORD_BYTES,
    max: BODY_BYTES_MAX,
    of: ({ data }) => WORD_BYTES + data.length,
  },
  write: (writer, { tunnelId, data }) => writer.u32(tunnelId).bytes(data),
  read: (reader) => ({
    type: 'onion tunnel data',
    tunnelId: reader.u32(),
    data: reader.bytes(reader.remaining),
  }),
};

export interface OnionError {
  readonly type: 'onion error';
  /** The number of the request that failed. */
  readonly requestType: number;
  /** 0 when it failed before there was a tunnel. */
  readonly tunnelId: number;
}

const ERROR_BYTES = 8;

export const onionError: Codec<OnionError> = {
  number: 565,
  size: exactly(ERROR_BYTES),
  write: (writer, { requestType, tunnelId }) => writer.u16(requestType).zeros(2).u32(tunnelId),
  read: (reader) => {
    const requestType = reader.u16();
    reader.view(2);
    return { type: 'onion error', requestType, tunnelId: reader.u32() };
  },
};

export interface OnionCover {
  readonly type: 'onion cover';
  /** How many random bytes to send. */
  readonly coverBytes: number;
}

export const onionCover: Codec<OnionCover> = {
  number: 566,
  size: exactly(WORD_BYTES),
  write: (writer, { coverBytes }) => writer.u16(coverBytes).zeros(2),
  read: (reader) => {
    const coverBytes = reader.u16();
    reader.view(2);
    return { type: 'onion cover', coverBytes };
  },
};
