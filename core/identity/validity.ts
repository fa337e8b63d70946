// When a certificate holds (protocol Appendix A): the 20 bytes that node descriptors and compact certificates share.
// Times are Unix seconds.
//
//   0   4   serial      of two descriptors of one node, the higher one counts
//   4   8   not_before
//  12   8   not_after   the last second in which it holds; at most 72 h behind not_before

import { DecodeError, type Reader, type Writer } from '../bytes/index.ts';

/** Protocol 2.2: tolerated wherever a time of another peer is checked. */
export const CLOCK_SKEW_MAX_S = 10;

/** Appendix A. A node reissues every 24 h, so two reissues may fail before anybody refuses it. */
export const VALIDITY_MAX_S = 72 * 3600;

export const VALIDITY_BYTES = 20;

export interface Validity {
  readonly serial: number;
  readonly notBeforeS: number;
  readonly notAfterS: number;
}

export function writeValidity(writer: Writer, validity: Validity): Writer {
  return writer.u32(validity.serial).u64(validity.notBeforeS).u64(validity.notAfterS);
}

export function readValidity(reader: Reader): Validity {
  const validity = {
    serial: reader.u32(),
    notBeforeS: reader.u64AsNumber(),
    notAfterS: reader.u64AsNumber(),
  };
  const lengthS = validity.notAfterS - validity.notBeforeS;
  if (lengthS < 0) throw new DecodeError('a certificate that ends before it begins');
  if (lengthS > VALIDITY_MAX_S) throw new DecodeError('a certificate valid for more than 72 hours');
  return validity;
}

export function expectValidAt({ notBeforeS, notAfterS }: Validity, wallMs: number): void {
  const nowS = Math.floor(wallMs / 1000);
  if (nowS < notBeforeS - CLOCK_SKEW_MAX_S) throw new DecodeError('a certificate not yet valid');
  if (nowS > notAfterS + CLOCK_SKEW_MAX_S) throw new DecodeError('a certificate that has expired');
}
