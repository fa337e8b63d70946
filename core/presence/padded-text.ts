// Short text of a person in a field of fixed length: UTF-8, filled up with zeros. Whatever a screen or a terminal would
// obey is refused, here and before it is sent.

import {
  DecodeError,
  decodeUtf8,
  printable,
  type Reader,
  utf8,
  type Writer,
} from '../bytes/index.ts';

/** What is wrong with it, to go behind the name of the field; undefined: nothing. */
export function textFault(text: string, bytesMax: number): string | undefined {
  if (utf8(text).length > bytesMax) return `has more than ${bytesMax} bytes`;
  if (text !== printable(text)) return 'has control characters';
  return undefined;
}

/** RangeError for a text with a fault. */
export function writePaddedText(writer: Writer, text: string, bytesMax: number): Writer {
  const fault = textFault(text, bytesMax);
  if (fault !== undefined) throw new RangeError(`a text ${fault}`);
  const bytes = utf8(text);
  return writer.bytes(bytes).zeros(bytesMax - bytes.length);
}

export function readPaddedText(reader: Reader, bytesMax: number): string {
  const field = reader.view(bytesMax);
  const length = field.includes(0) ? field.indexOf(0) : field.length;
  if (field.subarray(length).some((byte) => byte !== 0)) {
    throw new DecodeError('a text that is not filled up with zeros');
  }
  const text = decodeUtf8(field.subarray(0, length));
  const fault = textFault(text, bytesMax);
  if (fault !== undefined) throw new DecodeError(`a text ${fault}`);
  return text;
}
