export { DecodeError } from './error.ts';
export { Reader } from './reader.ts';
export {
  compareBytes,
  concatBytes,
  decodeUtf8,
  equalBytes,
  fromBase64Url,
  fromHex,
  printable,
  toBase64Url,
  toHex,
  utf8,
} from './text.ts';
export { Writer } from './writer.ts';
