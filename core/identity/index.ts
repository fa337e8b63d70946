export {
  COMPACT_CERTIFICATE_BYTES,
  type CompactCertificate,
  type CompactCertificateFields,
  type CompactCertificateRules,
  openCompactCertificate,
  signCompactCertificate,
} from './compact-certificate.ts';
export {
  DESCRIPTOR_BYTES_MAX,
  type DescriptorFields,
  type DescriptorRules,
  decodeDescriptor,
  type NodeDescriptor,
  type NodeFlags,
  openDescriptor,
  type Portmap,
  signDescriptor,
} from './descriptor.ts';
export { createHostkey, decodeHostkey, Hostkey, type Signed, verifySigned } from './hostkey.ts';
export {
  HostkeyError,
  type HostkeyFault,
  type LoadedHostkey,
  loadHostkey,
  saveHostkey,
} from './hostkey-file.ts';
export { formatIdentity, formatShortIdentity, parseIdentity } from './human.ts';
export {
  IDENTITY_BYTES,
  type Identity,
  type IdentityKey,
  identityKey,
  identityOf,
  toIdentity,
} from './identity.ts';
export { identityPowTask, POW_EPOCH_S, POW_ID_BITS, powEpochAt } from './identity-pow.ts';
export { NODE_ADDRESSES_MAX, type NodeAddress, type Transport } from './node-address.ts';
export { decodePem, encodePem, type PemBlock } from './pem.ts';
export {
  decodePublicKeyFile,
  decodePublicKeyPem,
  encodePublicKeyPem,
  PUBLIC_KEY_TEXT_MAX,
} from './public-key.ts';
export { CLOCK_SKEW_MAX_S, VALIDITY_MAX_S, type Validity } from './validity.ts';
