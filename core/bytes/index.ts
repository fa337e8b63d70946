export { DecodeError } from './error.ts';
export { Reader } from './reader.ts';
export {
  compareBytes,
  concatBytes,
  decodeUtf8,
  equalBytes,
  fromHex,
  printable,
  toHex,
  utf8,
} from './text.ts';
export { Writer } from './writer.ts';
