// Every size of a tunnel's packets, derived in one place (protocol 3.1–3.5, Appendix B). From the outside in:
// datagram 552 = header 16 + sealed cell 520 + tag 16; cell = header 8 + body 512; body, once every LIONESS layer is
// off, = sequence number 8 + sealed inner plaintext 488 + tag 16; plaintext = header 4 + data.

import { TAG_BYTES } from '../crypto/index.ts';
import { BODY_BYTES } from '../link/index.ts';

export { BODY_BYTES, CELL_BYTES, CELL_HEADER_BYTES } from '../link/index.ts';

export const INNER_SEQ_BYTES = 8;
export const INNER_PLAIN_BYTES = BODY_BYTES - INNER_SEQ_BYTES - TAG_BYTES;
export const INNER_HEADER_BYTES = 4;
export const INNER_DATA_MAX = INNER_PLAIN_BYTES - INNER_HEADER_BYTES;

/** FRAG carries message id u16, index u8 and count u8 before its piece. */
export const FRAG_HEADER_BYTES = 4;
export const FRAG_DATA_MAX = INNER_DATA_MAX - FRAG_HEADER_BYTES;

/** ONION TUNNEL DATA: what a 65,535-byte API message leaves after its header and tunnel ID. */
export const TUNNEL_DATA_MAX = 65_535 - 4 - 4;
